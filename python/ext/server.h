/* SPDX-License-Identifier: MIT */
/*
 * The control channel's socket and the thread that answers on it, one client at a time.
 *
 * The descriptor lives in a process that is not ours: the program may close every descriptor it
 * does not know (daemons do), and may get the same number for a file of its own. So the descriptor
 * is checked to be our socket before each use, and made anew if it is not. The thread is woken by
 * connecting to it, which needs no descriptor that could be somebody else's by then. Where that
 * fails too (the socket's file was removed) the sleeping thread is left behind: it ends without a
 * look at anything if it ever wakes.
 */
#ifndef OURO_EXT_SERVER_H
#define OURO_EXT_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "request.h"
#include "rundir.h"

#define SERVER_WHY 600

typedef struct server {
  /* Writes the reply to a request; runs in the server's thread, without the GIL. */
  void (*answer)(const request *what, reply_text *to);
  int listener; /* -1: closed */
  dev_t device; /* with `inode`: which socket the listener is */
  ino_t inode;
  rundir place;
  char name[32];
  pthread_t thread;
  bool running;
  atomic_uint turn; /* which thread is the server's; any other one ends */
  atomic_bool busy; /* with a client */
  reply_text reply;
} server;

/* Makes the socket. 0, or -1 with the reason. */
int server_open(server *s, char why[SERVER_WHY]);

/* Starts the thread on the open socket. 0 or an errno value. */
int server_start(server *s);

/* Ends the thread; clients wait in the queue for the next server_start. At most 50 ms and what one
 * ledger takes, since a client may be in the middle of a request. */
void server_pause(server *s);

/* Lets the thread end, without waiting for it. Any thread. False: it cannot be woken. */
bool server_dismiss(server *s);

/* After server_pause: removes the socket. */
void server_close(server *s);

/* In a forked child: lets go of the parent's socket without removing it. */
void server_forget(server *s);

#endif
