/* SPDX-License-Identifier: MIT */
/*
 * The way from a root to what holds the objects that grow: chosen, judged and drawn.
 */
#ifndef OURO_SRC_ANALYZE_VERDICT_PATH_H
#define OURO_SRC_ANALYZE_VERDICT_PATH_H

#include "verdict_text.h"

/* The path that says most about why `target` is alive: shortest ones that begin at a module or a
 * class before ones that begin at a call in progress. The caller frees it. False: out of memory. */
bool verdict_path_choose(path_finder *f, const graph *g, graph_node target, path *chosen);

/* What kind of holder stands at the end of a path: the last step that decides. */
verdict_holder verdict_path_holder(const graph *g, const path *p);

/* What grows in a holder decides before the path does: callbacks, tracebacks, tasks. HOLDER_NONE:
 * it says nothing. `example`: an object that grows. */
verdict_holder verdict_content_holder(const reach *r, graph_node example);

/* "shop.models.Session"; "method shop.views.View.changed" where the examples are all that. */
verdict_word verdict_growing(const graph *g, const diff_growth *row);

/* "shop.cache.CACHE", "shop.models.Model.registry", "call serve app.py:12 ...": for titles. */
void verdict_path_name(const graph *g, const path *p, char line[VERDICT_LINE]);

/* Adds the path to the evidence, one reference per line, field names on the left. */
void verdict_path_draw(const graph *g, const path *p, finding *f);

/* Adds the line below the path: the objects that grow, at most as deep as the path's last line. */
void verdict_path_draw_end(const graph *g, const path *p, graph_node example, const char *what,
                           finding *f);

/* Adds a line that says where in each of these objects most bytes are, if it is one place. */
void verdict_path_draw_inside(path_finder *f, const reach *r, graph_node example, finding *to);

#endif
