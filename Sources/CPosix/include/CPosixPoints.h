// Probe points: places with a stable name that debuggers, perf and bpftrace attach to while the proxy runs. Each is a function of
// its own (so that a uprobe finds it by its symbol) with a `nop` and a note in the program's file (so that whoever knows of
// SystemTap's static probes lists and uses it: provider `uproxy`, the name without the prefix). Nobody attached: a call, a nop and
// a return. They are called where something is noted or goes wrong, and not for each request that nobody takes notes of.
//
// Identifiers of exchanges are those of the access log; 0 where nobody takes notes.
#pragma once
#include <stdint.h>

/// An exchange begins. `listener`: its row in the metrics.
void uproxy_probe_exchange_begin(uint64_t id, uint64_t listener);

/// Its request is on its way on a connection. `attempt` counts from 1; `is_reused`: the connection was idle before.
void uproxy_probe_exchange_sent(uint64_t id, uint64_t attempt, uint64_t is_reused);

/// It fails, with the number of a `ProxyError`, and the status that downstream is answered if it still can be.
void uproxy_probe_exchange_failed(uint64_t id, uint64_t error, uint64_t status);

/// It is over, and nothing of it is left to be sent. In nanoseconds: all of its time, and what was waited for the answer.
void uproxy_probe_exchange_end(uint64_t id, uint64_t status, uint64_t duration, uint64_t waited);

/// Its request is sent again. `attempts` have been made.
void uproxy_probe_retry(uint64_t id, uint64_t attempts);

/// Connecting to an endpoint (its number in this worker) has failed, with the number of a `ProxyError`.
void uproxy_probe_connect_failed(uint64_t worker, uint64_t endpoint, uint64_t error);

/// A request was answered by ourselves before it became an exchange.
void uproxy_probe_refusal(uint64_t worker, uint64_t status);

/// A worker goes on by another configuration.
void uproxy_probe_reload(uint64_t worker);
