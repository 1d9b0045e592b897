// SPDX-License-Identifier: Apache-2.0
// Connects to a listener of its own, accepts, closes, N times; prints connections per second. The
// listener is made in one network namespace and cgroup, the clients in another: sockets keep both.
// usage: connect-rate SERVER_NETNS SERVER_PROCS CLIENT_NETNS CLIENT_PROCS ADDRESS N
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
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

static void enter(const char *netns, const char *procs)
{
	int fd = open(netns, O_RDONLY);
	FILE *file = fopen(procs, "w");

	if (fd < 0 || setns(fd, CLONE_NEWNET) || !file || fprintf(file, "%d", getpid()) < 0 ||
	    fclose(file))
		die("enter");
	close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in where = { .sin_family = AF_INET };
	socklen_t length = sizeof(where);
	struct linger now = { .l_onoff = 1, .l_linger = 0 }; // RST: no TIME_WAIT to run out of ports with
	struct timespec from, to;
	int listener, one = 1;
	long n;

	if (argc != 7 || inet_pton(AF_INET, argv[5], &where.sin_addr) != 1)
		return 64;
	n = atol(argv[6]);
	enter(argv[1], argv[2]);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&where, length) || listen(listener, 128) ||
	    getsockname(listener, (struct sockaddr *)&where, &length))
		die("listen");
	enter(argv[3], argv[4]);
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
