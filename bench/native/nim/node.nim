# SPDX-License-Identifier: MIT
## The node of trees and rings. `acyclic`: what a user of ORC writes where there are no cycles.
when defined(acyclic):
  type
    Node* {.acyclic.} = ref NodeObj
    NodeObj = object
      left*, right*: Node
else:
  type
    Node* = ref NodeObj
    NodeObj = object
      left*, right*: Node
