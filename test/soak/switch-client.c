/*
 * Asks over keep-alive connections, round by round, and holds each reply against what one of two
 * bundles says: switch-client ADDRESS PORT CONNECTIONS RATE. Ends at the end of its input; prints counts.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNECTIONS 256
#define PASS_EVERY 64 /* a server in Python answers these */
#define PATIENCE_S 20

enum kind { A_ANSWERS, B_ANSWERS, SERVER_ANSWERS };
static const char *const paths[] = { "/a", "/b", "/pass" };
static unsigned long answered[2], refused, passed, mixed, failed, rounds;

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static int open_connection(const char *address, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	inet_pton(AF_INET, address, &to.sin_addr);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		perror("connect");
		exit(1);
	}
	return fd;
}

/* One reply: its status, and its body in `body`; -1 where there is none. */
static int take(int fd, char body[256])
{
	char text[2048];
	size_t had = 0;

	for (;;) {
		ssize_t more = recv(fd, text + had, sizeof(text) - 1 - had, 0);
		char *end, *length;

		if (more <= 0) {
			fprintf(stderr, "no reply: %s, after %zu bytes\n", more ? strerror(errno) : "the end", had);
			return -1;
		}
		had += more;
		text[had] = 0;
		end = strstr(text, "\r\n\r\n");
		if (!end)
			continue;
		length = strcasestr(text, "content-length: ");
		if (!length || length > end) {
			fprintf(stderr, "a reply without length: %s\n", text);
			return -1;
		}
		if (had < (size_t)(end + 4 - text) + atoi(length + 16))
			continue;
		snprintf(body, 256, "%s", end + 4);
		return atoi(text + 9);
	}
}

/* What either bundle says to this; anything else is a mixture, or a failure. */
static void judge(enum kind kind, int status, const char *body)
{
	if (kind == SERVER_ANSWERS && status == 200 && !strncmp(body, "GET /pass", 9))
		passed++;
	else if (kind != SERVER_ANSWERS && status == 403)
		refused++;
	else if (kind != SERVER_ANSWERS && status == 200 && !strcmp(body, kind == A_ANSWERS ? "a" : "b"))
		answered[kind]++;
	else if (kind != SERVER_ANSWERS && status == 200)
		mixed++;
	else {
		failed++;
		fprintf(stderr, "%s: %d %s\n", paths[kind], status, body);
	}
}

int main(int argc, char **argv)
{
	int fds[MAX_CONNECTIONS], count = argc > 3 ? atoi(argv[3]) : 0;
	double rate = argc > 4 ? atof(argv[4]) : 0, begun;
	struct pollfd input = { .fd = 0, .events = POLLIN };

	if (count < 1 || count > MAX_CONNECTIONS)
		return 64;
	for (int i = 0; i < count; i++)
		fds[i] = open_connection(argv[1], atoi(argv[2]));
	printf("ready\n");
	fflush(stdout);
	begun = seconds();
	while (poll(&input, 1, 0) == 0) {
		enum kind kinds[MAX_CONNECTIONS];
		double ahead;

		for (int i = 0; i < count; i++) {
			char text[128];
			unsigned long turn = rounds * count + i;
			int size;

			kinds[i] = turn % PASS_EVERY == 0 ? SERVER_ANSWERS : turn % 2 ? A_ANSWERS : B_ANSWERS;
			size = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nhost: shop\r\n\r\n", paths[kinds[i]]);
			/* What fails to be sent shows where its reply is awaited. */
			(void)!send(fds[i], text, size, MSG_NOSIGNAL);
		}
		for (int i = 0; i < count; i++) {
			char body[256] = "";

			judge(kinds[i], take(fds[i], body), body);
		}
		if (failed)
			break;
		rounds++;
		ahead = rate > 0 ? begun + rounds * count / rate - seconds() : 0;
		if (ahead > 0)
			usleep(ahead * 1e6);
	}
	printf("{\"a\":%lu,\"b\":%lu,\"refused\":%lu,\"passed\":%lu,\"mixed\":%lu,\"failed\":%lu,\"seconds\":%f}\n",
	       answered[0], answered[1], refused, passed, mixed, failed, seconds() - begun);
	return 0;
}
