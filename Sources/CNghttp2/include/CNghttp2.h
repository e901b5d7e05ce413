// HTTP/2 by libnghttp2 (1.52 or later), of servers and of clients: frames become events that are read when the call is over, as nothing of the
// caller's may be changed in the middle of it; bodies leave by reference. No sockets, nothing blocks.
#ifndef CNGHTTP2_H
#define CNGHTTP2_H

#include <stddef.h>
#include <stdint.h>

#include <nghttp2/nghttp2.h>

/// What a stream sends behind its head, kept by the caller as long as the stream is bound to it.
struct cnghttp2_body {
    /// Bytes that may leave, and have not been promised to a frame yet.
    uint32_t available;
    /// The caller's name for it.
    uint32_t owner;
    /// Nothing is added to what is available.
    uint8_t ends;
    /// Fields follow, for which the caller is asked when all else has left.
    uint8_t has_trailers;
};

/// A field in the inbox's text: the name, and the value right behind it.
struct cnghttp2_field {
    uint32_t offset;
    uint32_t name_size;
    uint32_t value_size;
    /// One of the `CNGHTTP2_NAME_…`, or 0.
    uint32_t name;
};

/// Fields that are not passed on as they are.
enum {
    CNGHTTP2_NAME_METHOD = 1,
    CNGHTTP2_NAME_SCHEME = 2,
    CNGHTTP2_NAME_AUTHORITY = 3,
    CNGHTTP2_NAME_PATH = 4,
    CNGHTTP2_NAME_PROTOCOL = 5,
    CNGHTTP2_NAME_HOST = 6,
    CNGHTTP2_NAME_COOKIE = 7,
    CNGHTTP2_NAME_CONTENT_LENGTH = 8,
    CNGHTTP2_NAME_TE = 9,
    CNGHTTP2_NAME_WEBSOCKET_KEY = 10,
    CNGHTTP2_NAME_STATUS = 11,
    CNGHTTP2_NAME_TRAILER = 12
};

enum {
    /// The head of a request has come, or of a response, be it an interim one.
    CNGHTTP2_HEAD = 1,
    /// Its trailers have; they are its end.
    CNGHTTP2_TRAILERS = 2,
    /// Some of its body.
    CNGHTTP2_DATA = 3,
    /// Its end, behind some of its body.
    CNGHTTP2_END = 4,
    /// The stream is over: both sides have ended it, or one has reset it.
    CNGHTTP2_CLOSED = 5,
    /// The last frame of what we send has left.
    CNGHTTP2_LEFT = 6
};

struct cnghttp2_event {
    uint8_t kind;
    /// Of a head: nothing is behind it. Of `CNGHTTP2_CLOSED`: it was with an error.
    uint8_t ends;
    /// Of a head: it is larger than the limit, and its fields are not there.
    uint8_t is_too_large;
    /// Of `CNGHTTP2_CLOSED`: the peer has done nothing of the request (RFC 9113 §8.7).
    uint8_t is_refused;
    int32_t stream;
    /// What the stream is bound to; NULL: nothing.
    const struct cnghttp2_body *body;
    /// Fields, by their index in the inbox, of heads and trailers.
    uint32_t first_field, field_count;
    /// Data, where they came.
    const uint8_t *bytes;
    uint32_t size;
};

/// A DATA frame that is to leave: its header, and so many bytes of the body behind it. Without a header there is no frame: the body
/// has ended, and trailers are next.
struct cnghttp2_sent {
    const struct cnghttp2_body *body;
    uint32_t size;
    uint8_t header[9];
    uint8_t header_size;
    /// It is the last of its body.
    uint8_t ends;
};

enum { CNGHTTP2_SENT_LIMIT = 128 };

/// What became of the last calls: of one thread, and shared by its sessions, which know its address.
struct cnghttp2_inbox {
    struct cnghttp2_event *events;
    size_t event_count, event_capacity;
    struct cnghttp2_field *fields;
    size_t field_count, field_capacity;
    uint8_t *text;
    size_t text_size, text_capacity;
    struct cnghttp2_sent sent[CNGHTTP2_SENT_LIMIT];
    size_t sent_count;
    /// Bytes of bodies that may still be put into frames; beyond, sending pauses.
    size_t send_budget;
    int is_paused;
    /// Of a head at most, names and values, and 32 bytes for each field (RFC 9113 §6.5.2).
    uint32_t head_limit;
    /// The last call has told of some of what it took; the next one goes on, with new bytes or with none.
    int is_input_paused;
    /// Frames of the last call that carry nothing of a message, and those of them that reset a stream.
    uint32_t idle_frames, resets;
    /// The last call has had the peer's settings; that it is about to end the connection.
    int settings_came, goaway_came;
    /// Errors of the peer's that were told since the caller set them to 0: by GOAWAY, and by RST_STREAM.
    uint32_t connection_errors, stream_errors;
    /// Of the block of fields that is being read: where it begins, what it counts for, and whether it is to go on.
    size_t block_first_field, block_text_start;
    uint32_t block_size;
    int block_is_open, block_is_too_large;
};

/// One end of a connection.
struct cnghttp2_session;

void cnghttp2_inbox_free(struct cnghttp2_inbox *inbox);

/// One of `sent`, and its header: arrays in a structure are tuples elsewhere.
const struct cnghttp2_sent *cnghttp2_sent_at(const struct cnghttp2_inbox *inbox, size_t index);
const uint8_t *cnghttp2_sent_header(const struct cnghttp2_sent *sent);

/// A server's session, and its first SETTINGS in the queue; NULL without memory.
///
/// - Parameters:
///   - streams: that the peer may have open at a time.
///   - stream_window: bytes of a stream's body that may come before some were consumed.
///   - connection_window: of all bodies together.
struct cnghttp2_session *cnghttp2_server_make(
    struct cnghttp2_inbox *inbox, uint32_t streams, uint32_t stream_window, uint32_t connection_window);

/// A client's.
struct cnghttp2_session *cnghttp2_client_make(
    struct cnghttp2_inbox *inbox, uint32_t stream_window, uint32_t connection_window);

void cnghttp2_free(struct cnghttp2_session *session);

/// The library's.
nghttp2_session *cnghttp2_library(struct cnghttp2_session *session);

/// Takes what has come; the events are in the inbox, and the data of these in what was taken. Below 0: the session has failed, and
/// nothing more comes of it.
ptrdiff_t cnghttp2_receive(struct cnghttp2_session *session, const uint8_t *bytes, size_t size);

/// The next frames: those of `sent`, and behind them so many bytes at `*bytes`. Below 0: the session has failed.
ptrdiff_t cnghttp2_send(struct cnghttp2_session *session, const uint8_t **bytes);

/// Binds a stream to a body, or to nothing with NULL.
void cnghttp2_bind(struct cnghttp2_session *session, int32_t stream, struct cnghttp2_body *body);

/// Answers a request; NULL instead of a body: it has none. 0, or below 0 without memory.
int cnghttp2_respond(
    struct cnghttp2_session *session, int32_t stream, const nghttp2_nv *fields, size_t count, struct cnghttp2_body *body);

/// Sends a request on a stream that is bound to `body`, be there something in it or not. The stream's number, or below 0: without
/// memory, or where the connection has had all the streams that it can have.
int32_t cnghttp2_request(
    struct cnghttp2_session *session, const nghttp2_nv *fields, size_t count, struct cnghttp2_body *body, int has_body);

/// An interim response (RFC 9110 §15.2).
int cnghttp2_inform(struct cnghttp2_session *session, int32_t stream, const nghttp2_nv *fields, size_t count);

#endif
