/// The text of `--help`.
let help = """
    Load for an HTTP/1.1 server or proxy, by one thread. One JSON object on standard output at the end.

    USAGE
      load closed --target HOST:PORT [OPTION…]           each connection sends its next request when it has its answer
      load open   --target HOST:PORT --rate R [OPTION…]  requests at a constant rate, whether or not answers come
      load idle   --target HOST:PORT [OPTION…]           connections that do nothing after one request each
      load slow   --target HOST:PORT [OPTION…]           request heads that come byte by byte and never end

    Status and body length of every answer are checked. What is unexpected is an error, counted by its kind:
      connect  the connection could not be made          tunnel   CONNECT did not succeed
      reset    the connection broke                      closed   it ended before the answer was complete
      timeout  no answer in time                         status   another status than expected
      length   another length than expected              parse    no proper HTTP/1.1
      early    the answer came before the request ended  excess   bytes that nobody asked for
    "first" has the status, length or errno of the first error of a kind.

    ALL MODES
      --target HOST:PORT       a numeric address; [::1]:80 for IPv6
      --connections N          64
      --path PATH              /size/128
      --host NAME              the Host field, if not what the request is for
      --timeout TIME           a request without an answer for so long is an error: 10s
      --sources N              source addresses from 127.0.0.1 on, if the target is in 127.0.0.0/8: one for 16,000
                               connections, 64 with --new-connection

    CLOSED, OPEN
      --seconds TIME           what is measured, after the warm-up: 3s
      --warmup TIME            0.5s. Errors count from the very beginning
      --expect-status N        200
      --expect-bytes SIZE      length of each body, without framing; if not given, what the first answer has
      --method NAME            GET, POST or PUT: POST with a body, GET without
      --body-bytes SIZE        of the request. Above 16K it is sent by reference, with sendfile
      --chunked                the request's body is sent in chunks of 64 KiB
      --new-connection         a connection for each request, with Connection: close
      --absolute http://HOST:PORT   targets in absolute form, as for a forward proxy
      --connect HOST:PORT      a CONNECT tunnel on each connection first; for each request with --new-connection
      Of bodies only the length is looked at; what exceeds 64 KiB is not even copied out of the kernel.

    CLOSED
      --pipeline N             N requests at once, the next N when all are answered; latency is that of each: 1
      --limit-requests N       ends after N requests, at the time of --seconds at the latest if that is given; no
                               warm-up, if none is given

    OPEN
      --rate R                 requests per second, on all connections in turn. A request for which no connection is
                               free waits, and its latency counts from when it should have been sent: a server that
                               stalls cannot hide it (no coordinated omission). "lateness_us" is how late the generator
                               itself was though a connection was free; with "generator_late" (p99 above 100 µs) the
                               latencies are not to be trusted.

    IDLE
      One request on each connection, then a line {"ready": N, …}, then the connections are held until standard input
      ends. At the end "alive" tells how many are still open. Takes --expect-status, --expect-bytes, --absolute and
      --connect as above.
      --again                  a second request on each before the end

    SLOW
      A line {"ready": N, …} when all are connected; "alive" at the end, when standard input ends: connections that the
      server has neither answered nor closed.
      --interval TIME          between two bytes: 1s

    SIZE is a number, or one with K, M or G (binary); TIME is in seconds, or with ms or s.
    In the report "requests", bytes and "cpu_seconds" (the generator's own) belong to the window of --seconds; "latency_us" to
    requests that began in it, whenever they were answered. Interrupt it, and it prints what it has.

    EXIT STATUS
      0 without an error, 1 with errors, 64 for a command line that means nothing
    """
