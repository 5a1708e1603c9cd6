/* core_socket.h: the embedded core's socket for sandboxed steps, also where they run as another user and ids cannot be mapped. */
#ifndef CRESCENDO_RUN_CORE_SOCKET_H
#define CRESCENDO_RUN_CORE_SOCKET_H

/* Lets the sandbox's user, and nobody else, into the socket's folder and to the socket. Only root has such a user; for others, and where
   the socket is not there (yet), nothing happens. Called when the socket was made, and before a step is started that needs it. */
void core_socket_share(const char *socket);

#endif
