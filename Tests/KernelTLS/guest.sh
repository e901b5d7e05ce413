#!/bin/busybox sh
# What scripts/kernel-tls runs as the first process of a machine whose kernel has TLS for sockets. All that is told goes to the console.
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /sbin /usr/bin /usr/sbin
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
/bin/busybox mount -t tmpfs tmpfs /tmp
/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin HOME=/tmp TMPDIR=/tmp OPENSSL_CONF=/dev/null
cd /tmp || exit 1
ip link set lo up
ulimit -n 4096

finish() {
    echo "guest: $passed passed, $failed failed"
    sync
    poweroff -f
}
passed=0
failed=0
pass() { passed=$((passed + 1)); echo "guest: PASS $*"; }
fail() { failed=$((failed + 1)); echo "guest: FAIL $*"; }
# A name, and a command that has to succeed.
check() {
    name=$1
    shift
    if "$@" >/tmp/said 2>&1; then
        pass "$name"
    else
        fail "$name ($?)"
        tail -n 8 /tmp/said
    fi
}
refused() { ! "$@"; }

# Until something answers at a port, 60 seconds at most.
await() {
    tries=0
    until curl -s -o /dev/null "http://127.0.0.1:$1/$2"; do
        tries=$((tries + 1))
        [ $tries -lt 120 ] || { fail "nobody answers at port $1"; cat /tmp/*.log; finish; }
        usleep 500000
    done
}

echo "guest: Linux $(uname -r), $(grep -c ^processor /proc/cpuinfo) CPUs"
check "without the module --kernel-tls on does not start" \
    refused timeout 60 uproxy --kernel-tls on --forward 127.0.0.1:1
check "doctor tells that the module is not loaded" \
    sh -c 'uproxy doctor --kernel-tls auto | grep -A 3 "kernel TLS" | grep -q "modprobe tls"'
# Where the kernel looks for it, to load what it lacks.
ln -s /bin/busybox /sbin/modprobe
check "the module is loaded" modprobe tls
check "so are its ciphers" modprobe -a gcm aesni-intel chacha20poly1305
check "doctor finds it" sh -c 'uproxy doctor --kernel-tls on | grep "kernel TLS" | grep -q available'

uproxy origin --listen 127.0.0.1:9000 >origin.log 2>&1 &
await 9000 size/1
size=3145728
curl -sS -o body "http://127.0.0.1:9000/size/$size"
curl -sS -o closed "http://127.0.0.1:9000/close/$size"
# What is under way in a receive that goes on by itself (io_uring) is not the kernel's yet: where a stream shows to be long only as it
# flows that may be more than $size.
large=16777216
curl -sS -o largebody "http://127.0.0.1:9000/size/$large"
curl -sS -o largeclosed "http://127.0.0.1:9000/close/$large"

# The other end of connections to upstreams: its TLS is OpenSSL's alone.
cat >inner.yaml <<END
listeners:
  - {address: 127.0.0.1:8450, tls: {certificates: [{cert: /kernel.pem, key: /kernel.key}]}}
  - {address: 127.0.0.1:8451, role: tcp, cluster: origin, tls: {certificates: [{cert: /kernel.pem, key: /kernel.key}]}}
clusters:
  origin: {endpoints: "127.0.0.1:9000"}
admin: {address: 127.0.0.1:9902}
timeouts: {tls_handshake: 5m, connect: 5m}
END
uproxy --config inner.yaml --threads 1 >inner.log 2>&1 &
await 9902 healthz

cat >outer.yaml <<END
listeners:
  - {address: 127.0.0.1:8443, routes: site, tls: {certificates: [{cert: /kernel.pem, key: /kernel.key}]}}
  - {address: 127.0.0.1:8444, role: tcp, cluster: origin, tls: {certificates: [{cert: /kernel.pem, key: /kernel.key}]}}
  - {address: 127.0.0.1:8445, role: tcp, cluster: blind}
  - {address: 127.0.0.1:8081, routes: onward}
routes:
  site: [{cluster: origin}]
  onward: [{cluster: secure}]
clusters:
  origin: {endpoints: "127.0.0.1:9000"}
  secure: {endpoints: "127.0.0.1:8450", tls: {server_name: kernel.test, ca: /kernel.pem}}
  blind: {endpoints: "127.0.0.1:8451", tls: {server_name: kernel.test, ca: /kernel.pem}}
admin: {address: 127.0.0.1:9901}
# An emulated machine may be very slow.
timeouts: {tls_handshake: 5m, connect: 5m}
END

counter() { curl -s http://127.0.0.1:9901/metrics | awk -v name="uproxy_$1" '$1 == name { print $2 }'; }
# A counter, and by how much it has to have grown since `before`.
before() { was=$(counter "$1"); }
grown() {
    now=$(counter "$1")
    [ "$now" -ge $((was + $2)) ] || { echo "$1 went from $was to $now"; return 1; }
}
get() { curl -sS --max-time 120 --cacert /kernel.pem --resolve '*:8443:127.0.0.1' --resolve '*:8444:127.0.0.1' --http1.1 "$@"; }
# Until there is something, two minutes at most: a file of a size, one with so many answers, one more connection that was ended.
await_that() {
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ $tries -lt 240 ] || return 1
        usleep 500000
    done
}
await_size() { await_that sh -c "[ \$(stat -c %s $1) -gt $2 ]"; }
await_answers() { await_that sh -c "[ \$(grep -a -c 'HTTP/1.1 200' $1) -ge $2 ]"; }
has_renewed() { [ "$(counter tls_kernel_renewals_refused_total)" -gt "$was" ]; }
await_renewal() { await_that has_renewed && sleep 2; }
same() { cmp "$1" "$2"; }

scenario() {
    label=$1
    shift
    uproxy --config outer.yaml --threads 1 --kernel-tls on "$@" >outer.log 2>&1 &
    outer=$!
    await 9901 healthz
    sed 's/^/guest: /' outer.log | grep thread

    for suite in TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256; do
        before tls_kernel_sends_total
        check "$label: a long body, $suite" get --tls13-ciphers $suite -o out "https://kernel.test:8443/size/$size"
        check "$label: it is exact" same body out
        check "$label: the kernel encrypted it" grown tls_kernel_sends_total 1
    done
    spliced=$(counter spliced_bytes_total)
    echo "guest: $label: $spliced bytes spliced"
    case $label in *splice*) check "$label: of that much was spliced" [ "$spliced" -gt $size ] ;; esac

    before tls_kernel_sends_total
    check "$label: short, long, short and chunked on one connection" get \
        -o a https://kernel.test:8443/size/10 -o b https://kernel.test:8443/size/$size \
        -o c https://kernel.test:8443/size/20000 -o d https://kernel.test:8443/chunked/$size \
        -o e https://kernel.test:8443/size/10
    check "$label: the long one is exact" same body b
    check "$label: so is the chunked one" same body d
    check "$label: so is the short one behind it" same a e
    check "$label: it was one connection" [ "$(counter tls_kernel_sends_total)" = $((was + 1)) ]

    check "$label: a body that the close ends, with its close_notify" get --http1.0 -o out "https://kernel.test:8443/close/$size"
    check "$label: it is exact" same closed out
    check "$label: one that is cut short is not taken for the whole" refused get -o out "https://kernel.test:8443/truncate/$size"
    check "$label: a slow reader" get --limit-rate 1500000 --http1.0 -o out "https://kernel.test:8443/close/$size"
    check "$label: what it read is exact" same closed out

    check "$label: a body both ways" get --data-binary @body -o out https://kernel.test:8443/echo
    check "$label: it is exact" same body out

    before tls_kernel_sends_total
    check "$label: a tunnel out of TLS" get -o out https://kernel.test:8444/size/$large
    check "$label: it is exact" same largebody out
    check "$label: a tunnel out of TLS that the upstream ends" get --http1.0 -o out https://kernel.test:8444/close/$large
    check "$label: it is exact" same largeclosed out
    check "$label: the kernel encrypted both" grown tls_kernel_sends_total 2

    before tls_kernel_sends_total
    check "$label: a request's body to an upstream over TLS" curl -sS --max-time 120 -H Expect: --data-binary @body -o out http://127.0.0.1:8081/echo
    check "$label: it is exact" same body out
    check "$label: and another one, on the same connection" curl -sS --max-time 120 -H Expect: --data-binary @body -o out http://127.0.0.1:8081/echo
    check "$label: it is exact" same body out
    check "$label: a tunnel into TLS" curl -sS --max-time 120 -H Expect: --data-binary @body -o out http://127.0.0.1:8445/echo
    check "$label: it is exact" same body out
    check "$label: the kernel encrypted it" grown tls_kernel_sends_total 2

    before tls_kernel_fallbacks_version_total
    check "$label: TLS 1.2" get --tls-max 1.2 -o out https://kernel.test:8443/size/$size
    check "$label: it is exact" same body out
    check "$label: the process encrypted it" grown tls_kernel_fallbacks_version_total 1

    # s_client: k renews its own keys, K asks for ours as well.
    before tls_kernel_sends_total
    : >keys
    { printf 'GET /size/%s HTTP/1.1\r\nHost: kernel.test\r\n\r\n' $size; await_size keys $size; echo k; sleep 1
        printf 'GET /size/10 HTTP/1.1\r\nHost: kernel.test\r\n\r\n'; await_answers keys 2; echo Q; } |
        timeout 300 openssl s_client -connect 127.0.0.1:8443 -servername kernel.test -CAfile /kernel.pem >keys 2>&1
    check "$label: a client may renew its own keys" [ "$(grep -a -c 'HTTP/1.1 200' keys)" = 2 ]
    check "$label: the kernel had that connection" grown tls_kernel_sends_total 1
    before tls_kernel_renewals_refused_total
    : >keys
    { printf 'GET /size/%s HTTP/1.1\r\nHost: kernel.test\r\n\r\n' $size; await_size keys $size; echo K
        await_renewal; } |
        timeout 300 openssl s_client -connect 127.0.0.1:8443 -servername kernel.test -CAfile /kernel.pem >keys 2>&1
    check "$label: one that asks for ours is told that this is the end" grep -a -q 'alert number 80' keys
    check "$label: that is counted" grown tls_kernel_renewals_refused_total 1

    before tls_kernel_sends_total
    check "$label: it goes on" get -o out https://kernel.test:8443/size/$size
    check "$label: that is exact" same body out
    check "$label: no connection was broken but for the renewal" [ "$(counter tls_errors_total)" -le 1 ]
    check "$label: the kernel never refused" [ "$(counter tls_kernel_fallbacks_refused_total)" = 0 ]
    kill -TERM $outer
    wait $outer
    [ -s outer.log ] && grep -i -E "fatal|crash|precondition" outer.log && fail "$label: it has said so"
    return 0
}

scenario "io_uring, splice" --io uring
scenario "epoll, splice" --io epoll
scenario "io_uring" --io uring --splice off
scenario "epoll" --io epoll --splice off
scenario "io_uring, zero copy" --io uring --splice off --zero-copy auto
finish
