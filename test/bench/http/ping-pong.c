// SPDX-License-Identifier: Apache-2.0
// How long a small request and its reply take between two processes on two CPUs, one exchange at a time,
// by TCP between two network namespaces and by a pair of unix sockets, which has no protocol at all. Both
// sides sleep in epoll_wait between messages, as wrk and nginx do; what is left is waking the other CPU.
// usage: ping-pong SERVER_NETNS CLIENT_NETNS ADDRESS EXCHANGES; prints microseconds an exchange: tcp, unix
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PRIORITY = 40, REQUEST = 110, REPLY = 330, WARM = 1000 }; // bytes as wrk's and nginx's of the small reply

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void enter(const char *netns)
{
	int fd = open(netns, O_RDONLY);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(netns);
	close(fd);
}

static void place(int cpu)
{
	struct sched_param priority = { .sched_priority = PRIORITY };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) || sched_setscheduler(0, SCHED_FIFO, &priority))
		die("place");
}

// Receives `length` bytes; false at the end of the stream.
static int take(int epoll, int fd, int length)
{
	struct epoll_event seen;
	char bytes[REPLY];

	while (length > 0) {
		int got = recv(fd, bytes, length, MSG_DONTWAIT);

		if (got == 0)
			return 0;
		if (got < 0)
			epoll_wait(epoll, &seen, 1, -1);
		else
			length -= got;
	}
	return 1;
}

static int watch(int fd)
{
	struct epoll_event wanted = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(0);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted))
		die("epoll");
	return epoll;
}

static void serve(int fd)
{
	static const char reply[REPLY];
	int epoll = watch(fd);

	place(1);
	while (take(epoll, fd, REQUEST))
		if (write(fd, reply, REPLY) != REPLY)
			die("reply");
	exit(0);
}

static double ask(int fd, long exchanges)
{
	static const char request[REQUEST];
	struct timespec from, to;
	int epoll = watch(fd);

	for (long i = -WARM; i < exchanges; i++) {
		if (i == 0)
			clock_gettime(CLOCK_MONOTONIC, &from);
		if (write(fd, request, REQUEST) != REQUEST || !take(epoll, fd, REPLY))
			die("request");
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	return ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / 1e3 / exchanges;
}

// Two connected sockets, the listener's and the connecting one's.
static void connectPair(char **argv, int pair[2])
{
	struct sockaddr_in where = { .sin_family = AF_INET };
	socklen_t length = sizeof(where);
	int listener, one = 1;

	if (inet_pton(AF_INET, argv[3], &where.sin_addr) != 1)
		exit(64);
	enter(argv[1]);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&where, length) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&where, &length))
		die("listen");
	enter(argv[2]);
	pair[1] = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(pair[1], (struct sockaddr *)&where, length))
		die("connect");
	pair[0] = accept(listener, 0, 0);
	for (int i = 0; i < 2; i++)
		if (setsockopt(pair[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
			die("accept");
	close(listener);
}

static double exchange(int pair[2], long exchanges)
{
	double microseconds;

	switch (fork()) {
	case -1:
		die("fork");
	case 0:
		close(pair[1]);
		serve(pair[0]);
	}
	close(pair[0]);
	place(0);
	microseconds = ask(pair[1], exchanges);
	close(pair[1]);
	return microseconds;
}

int main(int argc, char **argv)
{
	int tcp[2], plain[2];
	long exchanges;

	if (argc != 5 || (exchanges = atol(argv[4])) <= 0)
		return 64;
	connectPair(argv, tcp);
	printf("%f", exchange(tcp, exchanges));
	fflush(stdout);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, plain))
		die("socketpair");
	printf(" %f\n", exchange(plain, exchanges));
	return 0;
}
