// SPDX-License-Identifier: Apache-2.0
// Connects to a listener of its own, accepts, closes, N times; prints connections per second.
// usage: connect-rate ADDRESS N
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

int main(int argc, char **argv)
{
	struct sockaddr_in where = { .sin_family = AF_INET };
	socklen_t length = sizeof(where);
	struct linger now = { .l_onoff = 1, .l_linger = 0 }; // RST: no TIME_WAIT to run out of ports with
	struct timespec from, to;
	int listener, one = 1;
	long n;

	if (argc != 3 || inet_pton(AF_INET, argv[1], &where.sin_addr) != 1)
		return 64;
	n = atol(argv[2]);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&where, length) || listen(listener, 128) ||
	    getsockname(listener, (struct sockaddr *)&where, &length))
		die("listen");
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (long i = 0; i < n; i++) {
		int client = socket(AF_INET, SOCK_STREAM, 0), server;

		if (connect(client, (struct sockaddr *)&where, length))
			die("connect");
		server = accept(listener, 0, 0);
		if (server < 0)
			die("accept");
		setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(client);
		close(server);
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%.1f\n", n / ((to.tv_sec - from.tv_sec) + (to.tv_nsec - from.tv_nsec) / 1e9));
	return 0;
}
