/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the ends of a short circuit keep of each other, beside struct weft_http. */
#ifndef WEFT_REQUEST_PEER_H
#define WEFT_REQUEST_PEER_H

#include "request/known.h"
#include "request/socket.h"

/* Connections between the handshake of the server's end and the first request. */
#define WEFT_PEERS 8192

/* Value of weft_served; request/served.h writes it. */
struct weft_served {
	__u64 apart[7]; /* the kernel looks at what is before it, on other CPUs too */
	struct weft_served_state state;
	struct weft_peer client;
	struct weft_reply before;
	struct weft_window window;
	struct weft_known known;
};

/* By the client's cookie, until its first request finds it. */
WEFT_MAP(weft_peers, BPF_MAP_TYPE_LRU_HASH, __u64, struct weft_peer, WEFT_PEERS);
/* By the client's cookie: the accepted sockets. weft_send_reply runs for what they send. */
WEFT_MAP(weft_servers, BPF_MAP_TYPE_SOCKHASH, __u64, __u64, WEFT_CLIENTS);
/* Of an accepted socket whose client is enrolled here. */
WEFT_STORAGE(weft_served, struct weft_served);

#endif
