/*
 * Who asks?  For tests of the network, inside containers: the address by which
 * a server sees its client.
 *
 *	peer serve PORT
 *	peer ask ADDRESS PORT MILLISECONDS	prints it; 1: no answer
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int
serve(struct sockaddr_in *a)
{
	int s = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(s, (struct sockaddr *)a, sizeof(*a)) || listen(s, 16))
		return 2;
	for (;;) {
		struct sockaddr_in peer;
		socklen_t n = sizeof(peer);
		int c = accept(s, (struct sockaddr *)&peer, &n);
		if (c < 0)
			continue;
		dprintf(c, "%s\n", inet_ntoa(peer.sin_addr));
		close(c);
	}
}

static int
ask(struct sockaddr_in *a, int ms)
{
	int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct pollfd p = {.fd = s, .events = POLLIN};
	char text[64] = "";
	connect(s, (struct sockaddr *)a, sizeof(*a));
	if (poll(&p, 1, ms) != 1 || read(s, text, sizeof(text) - 1) <= 0)
		return 1;
	fputs(text, stdout);
	return 0;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	if (argc == 3 && strcmp(argv[1], "serve") == 0) {
		a.sin_port = htons((uint16_t)atoi(argv[2]));
		return serve(&a);
	}
	if (argc != 5 || inet_pton(AF_INET, argv[2], &a.sin_addr) != 1)
		return 2;
	a.sin_port = htons((uint16_t)atoi(argv[3]));
	return ask(&a, atoi(argv[4]));
}
