#include "CNghttp2.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct cnghttp2_session {
    nghttp2_session *library;
    struct cnghttp2_inbox *inbox;
    // Whose request could not leave, and which is about to be closed for it; 0: none.
    int32_t unsent_stream;
    // What has come of a block of fields that is not there whole yet: its fields, and their text behind them.
    struct cnghttp2_field *fields;
    size_t field_count, text_size;
    uint32_t block_size;
    int block_is_too_large;
};

// MARK: - Inbox

// Room for one more; 0 without memory.
static int grow(void **array, size_t *capacity, size_t wanted, size_t size) {
    if (wanted <= *capacity) return 1;
    size_t next = *capacity ? *capacity * 2 : 64;
    while (next < wanted) next *= 2;
    void *memory = realloc(*array, next * size);
    if (!memory) return 0;
    *array = memory;
    *capacity = next;
    return 1;
}

static struct cnghttp2_event *add_event(struct cnghttp2_inbox *inbox, nghttp2_session *session, int kind, int32_t stream) {
    if (!grow((void **)&inbox->events, &inbox->event_capacity, inbox->event_count + 1, sizeof *inbox->events)) {
        return NULL;
    }
    struct cnghttp2_event *event = &inbox->events[inbox->event_count++];
    memset(event, 0, sizeof *event);
    event->kind = (uint8_t)kind;
    event->stream = stream;
    event->body = nghttp2_session_get_stream_user_data(session, stream);
    return event;
}

void cnghttp2_inbox_free(struct cnghttp2_inbox *inbox) {
    free(inbox->events);
    free(inbox->fields);
    free(inbox->text);
}

const struct cnghttp2_sent *cnghttp2_sent_at(const struct cnghttp2_inbox *inbox, size_t index) {
    return &inbox->sent[index];
}

const uint8_t *cnghttp2_sent_header(const struct cnghttp2_sent *sent) { return sent->header; }

// MARK: - What comes

static int frame_begins(nghttp2_session *session, const nghttp2_frame_hd *header, void *pointer) {
    struct cnghttp2_inbox *inbox = ((struct cnghttp2_session *)pointer)->inbox;
    (void)session;
    if (header->type != NGHTTP2_CONTINUATION) inbox->block_is_open = 0;
    switch (header->type) {
    case NGHTTP2_RST_STREAM:
        inbox->resets++;
        inbox->idle_frames++;
        break;
    case NGHTTP2_DATA:
        if (header->length == 0 && !(header->flags & NGHTTP2_FLAG_END_STREAM)) inbox->idle_frames++;
        break;
    default: inbox->idle_frames++;
    }
    return 0;
}

static int block_begins(nghttp2_session *session, const nghttp2_frame *frame, void *pointer) {
    struct cnghttp2_inbox *inbox = ((struct cnghttp2_session *)pointer)->inbox;
    (void)session, (void)frame;
    inbox->block_first_field = inbox->field_count;
    inbox->block_text_start = inbox->text_size;
    inbox->block_size = 0;
    inbox->block_is_open = 1;
    inbox->block_is_too_large = 0;
    return 0;
}

static int is_name(const uint8_t *name, size_t size, const char *other, size_t other_size) {
    return size == other_size && memcmp(name, other, size) == 0;
}

#define IS(text) is_name(name, size, text, sizeof text - 1)

static uint32_t known_name(const uint8_t *name, size_t size) {
    if (size > 0 && name[0] == ':') {
        if (IS(":method")) return CNGHTTP2_NAME_METHOD;
        if (IS(":scheme")) return CNGHTTP2_NAME_SCHEME;
        if (IS(":authority")) return CNGHTTP2_NAME_AUTHORITY;
        if (IS(":path")) return CNGHTTP2_NAME_PATH;
        if (IS(":status")) return CNGHTTP2_NAME_STATUS;
        return IS(":protocol") ? CNGHTTP2_NAME_PROTOCOL : 0;
    }
    switch (size) {
    case 2: return IS("te") ? CNGHTTP2_NAME_TE : 0;
    case 4: return IS("host") ? CNGHTTP2_NAME_HOST : 0;
    case 6: return IS("cookie") ? CNGHTTP2_NAME_COOKIE : 0;
    case 7: return IS("trailer") ? CNGHTTP2_NAME_TRAILER : 0;
    case 14: return IS("content-length") ? CNGHTTP2_NAME_CONTENT_LENGTH : 0;
    case 17: return IS("sec-websocket-key") ? CNGHTTP2_NAME_WEBSOCKET_KEY : 0;
    default: return 0;
    }
}

// A block that is far too large counts for so many frames that carry nothing.
enum { OVERSIZED_BLOCK = 100 };

// Bytes of fields that are gathered at a time, but for one block.
enum { TEXT_LIMIT = 256 << 10 };

static int field_comes(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_size,
                       const uint8_t *value, size_t value_size, uint8_t flags, void *pointer) {
    struct cnghttp2_inbox *inbox = ((struct cnghttp2_session *)pointer)->inbox;
    (void)session, (void)frame, (void)flags;
    uint64_t size = (uint64_t)inbox->block_size + name_size + value_size + 32;
    inbox->block_size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
    if (size > inbox->head_limit) {
        // The rest is read all the same: it tells how to read what comes after it.
        inbox->block_is_too_large = 1;
        inbox->field_count = inbox->block_first_field;
        inbox->text_size = inbox->block_text_start;
        // Far beyond it the stream is reset, and what is left of the block is not even looked at.
        if (size / 4 <= inbox->head_limit) return 0;
        inbox->idle_frames += OVERSIZED_BLOCK;
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    if (!grow((void **)&inbox->fields, &inbox->field_capacity, inbox->field_count + 1, sizeof *inbox->fields) ||
        !grow((void **)&inbox->text, &inbox->text_capacity, inbox->text_size + name_size + value_size, 1)) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    inbox->fields[inbox->field_count++] = (struct cnghttp2_field){
        (uint32_t)inbox->text_size, (uint32_t)name_size, (uint32_t)value_size, known_name(name, name_size)};
    memcpy(inbox->text + inbox->text_size, name, name_size);
    memcpy(inbox->text + inbox->text_size + name_size, value, value_size);
    inbox->text_size += name_size + value_size;
    // What has been told is taken up before more of it is: a few bytes may stand for a long field.
    inbox->is_input_paused = inbox->text_size > TEXT_LIMIT && inbox->event_count > 0;
    return inbox->is_input_paused ? NGHTTP2_ERR_PAUSE : 0;
}

// RFC 9113 §8.2.1: with such a field the message is malformed. Left to itself the library would leave the field out.
static int field_is_invalid(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_size,
                            const uint8_t *value, size_t value_size, uint8_t flags, void *pointer) {
    (void)name, (void)name_size, (void)value, (void)value_size, (void)flags, (void)pointer;
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_PROTOCOL_ERROR);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int frame_came(nghttp2_session *session, const nghttp2_frame *frame, void *pointer) {
    struct cnghttp2_inbox *inbox = ((struct cnghttp2_session *)pointer)->inbox;
    int ends = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    struct cnghttp2_event *event;
    if (frame->hd.type == NGHTTP2_HEADERS) {
        inbox->block_is_open = 0;
        // To a client a response's head behind an interim one comes as any further block.
        int is_head = frame->headers.cat == NGHTTP2_HCAT_REQUEST || frame->headers.cat == NGHTTP2_HCAT_RESPONSE ||
                      (inbox->block_is_too_large && !ends) ||
                      (inbox->field_count > inbox->block_first_field &&
                       inbox->fields[inbox->block_first_field].name == CNGHTTP2_NAME_STATUS);
        event = add_event(inbox, session, is_head ? CNGHTTP2_HEAD : CNGHTTP2_TRAILERS, frame->hd.stream_id);
        if (!event) return NGHTTP2_ERR_CALLBACK_FAILURE;
        event->ends = ends != 0;
        event->is_too_large = inbox->block_is_too_large != 0;
        event->first_field = (uint32_t)inbox->block_first_field;
        event->field_count = (uint32_t)(inbox->field_count - inbox->block_first_field);
    } else if (frame->hd.type == NGHTTP2_DATA && ends) {
        if (!add_event(inbox, session, CNGHTTP2_END, frame->hd.stream_id)) return NGHTTP2_ERR_CALLBACK_FAILURE;
    } else if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK)) {
        inbox->settings_came = 1;
    } else if (frame->hd.type == NGHTTP2_GOAWAY) {
        inbox->goaway_came = 1;
    }
    return 0;
}

static int data_come(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes, size_t size,
                     void *pointer) {
    struct cnghttp2_inbox *inbox = ((struct cnghttp2_session *)pointer)->inbox;
    (void)flags;
    struct cnghttp2_event *event = add_event(inbox, session, CNGHTTP2_DATA, stream);
    if (!event) return NGHTTP2_ERR_CALLBACK_FAILURE;
    event->bytes = bytes;
    event->size = (uint32_t)size;
    return 0;
}

static int stream_closed(nghttp2_session *session, int32_t stream, uint32_t code, void *pointer) {
    struct cnghttp2_session *own = pointer;
    struct cnghttp2_event *event = add_event(own->inbox, session, CNGHTTP2_CLOSED, stream);
    if (!event) return NGHTTP2_ERR_CALLBACK_FAILURE;
    event->ends = code != NGHTTP2_NO_ERROR;
    event->is_refused = code == NGHTTP2_REFUSED_STREAM || stream == own->unsent_stream;
    return 0;
}

// The block that was begun in an earlier call.
static int take_block(struct cnghttp2_session *session, struct cnghttp2_inbox *inbox) {
    struct cnghttp2_field *fields = session->fields;
    if (!fields) return 1;
    size_t count = session->field_count, size = session->text_size;
    session->fields = NULL;
    int has_room = grow((void **)&inbox->fields, &inbox->field_capacity, count + 1, sizeof *inbox->fields) &&
                   grow((void **)&inbox->text, &inbox->text_capacity, size + 1, 1);
    if (has_room) {
        memcpy(inbox->fields, fields, count * sizeof *fields);
        memcpy(inbox->text, fields + count, size);
        inbox->field_count = count;
        inbox->text_size = size;
        inbox->block_first_field = inbox->block_text_start = 0;
        inbox->block_size = session->block_size;
        inbox->block_is_too_large = session->block_is_too_large;
        inbox->block_is_open = 1;
    }
    free(fields);
    return has_room;
}

// A block whose rest comes in a later call: the inbox is the next session's.
static int keep_block(struct cnghttp2_session *session, struct cnghttp2_inbox *inbox) {
    size_t first = inbox->block_first_field, start = inbox->block_text_start;
    size_t count = inbox->field_count - first, size = inbox->text_size - start;
    struct cnghttp2_field *fields = malloc(count * sizeof *fields + size + 1);
    if (!fields) return 0;
    for (size_t index = 0; index < count; index++) {
        fields[index] = inbox->fields[first + index];
        fields[index].offset -= (uint32_t)start;
    }
    if (size > 0) memcpy(fields + count, inbox->text + start, size);
    session->fields = fields;
    session->field_count = count;
    session->text_size = size;
    session->block_size = inbox->block_size;
    session->block_is_too_large = inbox->block_is_too_large;
    return 1;
}

ptrdiff_t cnghttp2_receive(struct cnghttp2_session *session, const uint8_t *bytes, size_t size) {
    struct cnghttp2_inbox *inbox = session->inbox;
    inbox->event_count = inbox->field_count = inbox->text_size = 0;
    inbox->idle_frames = inbox->resets = 0;
    inbox->settings_came = inbox->goaway_came = 0;
    inbox->is_input_paused = 0;
    inbox->block_is_open = 0;
    if (!take_block(session, inbox)) return NGHTTP2_ERR_NOMEM;
    ptrdiff_t taken = nghttp2_session_mem_recv(session->library, bytes, size);
    if (taken >= 0 && inbox->block_is_open && !keep_block(session, inbox)) return NGHTTP2_ERR_NOMEM;
    return taken;
}

// MARK: - What leaves

static struct cnghttp2_sent *add_sent(struct cnghttp2_inbox *inbox, const struct cnghttp2_body *body, size_t size) {
    struct cnghttp2_sent *sent = &inbox->sent[inbox->sent_count++];
    sent->body = body;
    sent->size = (uint32_t)size;
    sent->header_size = 0;
    sent->ends = body->available == 0 && body->ends;
    return sent;
}

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *buffer, size_t size, uint32_t *flags,
                         nghttp2_data_source *source, void *pointer) {
    struct cnghttp2_inbox *inbox = ((struct cnghttp2_session *)pointer)->inbox;
    struct cnghttp2_body *body = nghttp2_session_get_stream_user_data(session, stream);
    (void)buffer, (void)source;
    if (!body) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (body->available == 0 && !body->ends) return NGHTTP2_ERR_DEFERRED;
    if (inbox->sent_count == CNGHTTP2_SENT_LIMIT || (inbox->send_budget == 0 && body->available > 0)) {
        inbox->is_paused = 1;
        return NGHTTP2_ERR_PAUSE;
    }
    size_t count = body->available < size ? body->available : size;
    if (count > inbox->send_budget) count = inbox->send_budget;
    body->available -= (uint32_t)count;
    inbox->send_budget -= count;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (body->available == 0 && body->ends) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (body->has_trailers) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            // For nothing before trailers the library makes no frame.
            if (count == 0) add_sent(inbox, body, 0);
        }
    }
    return (ssize_t)count;
}

static int send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *header, size_t size,
                     nghttp2_data_source *source, void *pointer) {
    struct cnghttp2_inbox *inbox = ((struct cnghttp2_session *)pointer)->inbox;
    (void)source;
    const struct cnghttp2_body *body = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (!body) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    struct cnghttp2_sent *sent = add_sent(inbox, body, size);
    sent->header_size = sizeof sent->header;
    memcpy(sent->header, header, sizeof sent->header);
    return 0;
}

ptrdiff_t cnghttp2_send(struct cnghttp2_session *session, const uint8_t **bytes) {
    struct cnghttp2_inbox *inbox = session->inbox;
    inbox->sent_count = 0;
    inbox->is_paused = 0;
    inbox->event_count = inbox->field_count = inbox->text_size = 0;
    return nghttp2_session_mem_send(session->library, bytes);
}

static int frame_left(nghttp2_session *session, const nghttp2_frame *frame, void *pointer) {
    struct cnghttp2_inbox *inbox = ((struct cnghttp2_session *)pointer)->inbox;
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
        return add_event(inbox, session, CNGHTTP2_LEFT, frame->hd.stream_id) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR) {
        inbox->connection_errors++;
    } else if (frame->hd.type == NGHTTP2_RST_STREAM) {
        switch (frame->rst_stream.error_code) {
        case NGHTTP2_PROTOCOL_ERROR:
        case NGHTTP2_FLOW_CONTROL_ERROR:
        case NGHTTP2_STREAM_CLOSED:
        case NGHTTP2_FRAME_SIZE_ERROR: inbox->stream_errors++; break;
        default: break;
        }
    }
    return 0;
}

// A head that cannot leave, for its size or for want of memory: its stream does not wait for it.
static int frame_stays(nghttp2_session *session, const nghttp2_frame *frame, int error, void *pointer) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        // The library closes the stream by itself. That the peer takes no further one is not the request's fault.
        struct cnghttp2_session *own = pointer;
        int is_ending = error == NGHTTP2_ERR_START_STREAM_NOT_ALLOWED || error == NGHTTP2_ERR_SESSION_CLOSING;
        own->unsent_stream = is_ending ? frame->hd.stream_id : 0;
        return 0;
    }
    if (error == NGHTTP2_ERR_STREAM_CLOSED || error == NGHTTP2_ERR_STREAM_CLOSING || error == NGHTTP2_ERR_SESSION_CLOSING) {
        return 0;
    }
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_INTERNAL_ERROR);
    return 0;
}

void cnghttp2_bind(struct cnghttp2_session *session, int32_t stream, struct cnghttp2_body *body) {
    nghttp2_session_set_stream_user_data(session->library, stream, body);
}

int cnghttp2_respond(struct cnghttp2_session *session, int32_t stream, const nghttp2_nv *fields, size_t count,
                     struct cnghttp2_body *body) {
    nghttp2_data_provider provider = {.source = {.ptr = NULL}, .read_callback = read_body};
    return nghttp2_submit_response(session->library, stream, fields, count, body ? &provider : NULL);
}

int cnghttp2_inform(struct cnghttp2_session *session, int32_t stream, const nghttp2_nv *fields, size_t count) {
    return nghttp2_submit_headers(session->library, NGHTTP2_FLAG_NONE, stream, NULL, fields, count, NULL);
}

int32_t cnghttp2_request(struct cnghttp2_session *session, const nghttp2_nv *fields, size_t count,
                         struct cnghttp2_body *body, int has_body) {
    nghttp2_data_provider provider = {.source = {.ptr = NULL}, .read_callback = read_body};
    return nghttp2_submit_request(session->library, NULL, fields, count, has_body ? &provider : NULL, body);
}

// MARK: - Sessions

static nghttp2_session_callbacks *callbacks;
static nghttp2_option *options;

static void set_up(void) {
    if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&options) != 0) return;
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, frame_begins);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, block_begins);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, field_comes);
    nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, field_is_invalid);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frame_came);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, data_come);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, stream_closed);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, frame_left);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, frame_stays);
    // More than any head that has been read, and what a route adds to it.
    nghttp2_option_set_max_send_header_block_length(options, 1 << 20);
    // Windows open as bodies are passed on.
    nghttp2_option_set_no_auto_window_update(options, 1);
    nghttp2_option_set_no_closed_streams(options, 1);
    nghttp2_option_set_builtin_recv_extension_type(options, NGHTTP2_PRIORITY_UPDATE);
}

static struct cnghttp2_session *make(struct cnghttp2_inbox *inbox, int is_server, const nghttp2_settings_entry *settings,
                                     size_t count, uint32_t connection_window) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_up);
    struct cnghttp2_session *session = calloc(1, sizeof *session);
    if (!session) return NULL;
    session->inbox = inbox;
    if (callbacks && options &&
        (is_server ? nghttp2_session_server_new2 : nghttp2_session_client_new2)(
            &session->library, callbacks, session, options) == 0 &&
        nghttp2_submit_settings(session->library, NGHTTP2_FLAG_NONE, settings, count) == 0 &&
        nghttp2_session_set_local_window_size(session->library, NGHTTP2_FLAG_NONE, 0, (int32_t)connection_window) ==
            0) {
        return session;
    }
    cnghttp2_free(session);
    return NULL;
}

struct cnghttp2_session *cnghttp2_server_make(struct cnghttp2_inbox *inbox, uint32_t streams, uint32_t stream_window,
                                              uint32_t connection_window) {
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, inbox->head_limit},
        // RFC 8441 §3
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
        // RFC 9218 §2.1
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    return make(inbox, 1, settings, sizeof settings / sizeof *settings, connection_window);
}

struct cnghttp2_session *cnghttp2_client_make(struct cnghttp2_inbox *inbox, uint32_t stream_window,
                                              uint32_t connection_window) {
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, inbox->head_limit},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    return make(inbox, 0, settings, sizeof settings / sizeof *settings, connection_window);
}

void cnghttp2_free(struct cnghttp2_session *session) {
    if (!session) return;
    nghttp2_session_del(session->library);
    free(session->fields);
    free(session);
}

nghttp2_session *cnghttp2_library(struct cnghttp2_session *session) { return session->library; }
