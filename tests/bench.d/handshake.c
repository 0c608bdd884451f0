/* Logs in to a MySQL or MariaDB server by an account without a password, and leaves: what a server takes of every
 * program that speaks to it.
 * Usage: handshake ADDRESS PORT USER. Ends with 1 if it was not let in. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned char packet[4096];

static void give_up(const char *what) {
    fprintf(stderr, "handshake: %s\n", what);
    exit(1);
}

static void read_fully(int server, unsigned char *to, size_t bytes) {
    while (bytes) {
        ssize_t some = read(server, to, bytes);
        if (some <= 0) give_up("the server has closed the connection");
        to += some;
        bytes -= (size_t)some;
    }
}

/* Reads a packet; returns its number in the exchange. */
static int receive(int server) {
    unsigned char head[4];
    read_fully(server, head, sizeof head);
    size_t bytes = head[0] | head[1] << 8 | (size_t)head[2] << 16;
    if (bytes == 0 || bytes > sizeof packet) give_up("a packet of an unexpected size");
    read_fully(server, packet, bytes);
    return head[3];
}

static void send_packet(int server, int number, const unsigned char *content, size_t bytes) {
    unsigned char all[512] = {bytes & 0xff, bytes >> 8 & 0xff, 0, number};
    memcpy(all + 4, content, bytes);
    if (write(server, all, bytes + 4) != (ssize_t)(bytes + 4)) give_up("the server does not read");
}

int main(int argc, char **argv) {
    if (argc != 4 || strlen(argv[3]) > 80) give_up("usage: handshake ADDRESS PORT USER");
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[2]))};
    if (inet_pton(AF_INET, argv[1], &place.sin_addr) != 1) give_up("this is no address");
    int server = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    if (connect(server, (struct sockaddr *)&place, sizeof place)) give_up("the server does not answer");
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);

    receive(server);
    if (packet[0] != 10) give_up("this is no greeting of protocol 10");
    /* CLIENT_LONG_PASSWORD, PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH; the longest packet; utf8mb4. */
    unsigned char login[512] = {0x01, 0x82, 0x08, 0, 0, 0, 0, 1, 45};
    size_t bytes = 32;
    bytes += (size_t)sprintf((char *)login + bytes, "%s", argv[3]) + 1;
    login[bytes++] = 0;
    bytes += (size_t)sprintf((char *)login + bytes, "mysql_native_password") + 1;
    send_packet(server, 1, login, bytes);

    int number = receive(server);
    /* Another way of proving an empty password. */
    while (packet[0] == 0xfe) {
        send_packet(server, number + 1, (const unsigned char *)"", 0);
        number = receive(server);
    }
    if (packet[0] != 0) give_up("the server refuses");
    send_packet(server, 0, (const unsigned char *)"\1", 1);
    close(server);
    return 0;
}
