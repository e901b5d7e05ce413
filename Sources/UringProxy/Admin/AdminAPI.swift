/// The admin listener's interface in OpenAPI 3.1 (JSON Schema 2020-12), as it is served. `Tests/Peers/admin.py` holds it against answers.
enum AdminAPI {
    static let document = #"""
        {
          "openapi": "3.1.0",
          "info": {
            "title": "uproxy admin API",
            "version": "1",
            "description": "How a running uproxy stands, and what an operator may change. Durations are in seconds, sizes in bytes, counts since the process began. Fields may be added; none changes its meaning within version 1."
          },
          "security": [{"token": []}],
          "paths": {
            "/ready": {
              "get": {
                "summary": "Whether it is to be sent requests.",
                "security": [],
                "responses": {
                  "200": {"description": "It is.", "content": {"text/plain": {"schema": {"type": "string"}}}},
                  "503": {"description": "It drains.", "content": {"text/plain": {"schema": {"type": "string"}}}}
                }
              }
            },
            "/healthz": {
              "get": {
                "summary": "The same.",
                "security": [],
                "responses": {
                  "200": {"description": "It is.", "content": {"text/plain": {"schema": {"type": "string"}}}},
                  "503": {"description": "It drains.", "content": {"text/plain": {"schema": {"type": "string"}}}}
                }
              }
            },
            "/metrics": {
              "get": {
                "summary": "Metrics for Prometheus, or in OpenMetrics by Accept.",
                "responses": {
                  "200": {"description": "The metrics.", "content": {"text/plain": {"schema": {"type": "string"}}}},
                  "401": {"description": "The token is missing.", "content": {"text/plain": {"schema": {"type": "string"}}}}
                }
              }
            },
            "/explain": {
              "get": {
                "summary": "What becomes of a request.",
                "parameters": [
                  {"name": "url", "in": "query", "required": true, "schema": {"type": "string"}},
                  {
                    "name": "method",
                    "in": "query",
                    "required": false,
                    "description": "Default: GET.",
                    "schema": {"type": "string"}
                  },
                  {
                    "name": "header",
                    "in": "query",
                    "required": false,
                    "description": "NAME: VALUE, each time for one field.",
                    "schema": {"type": "string"}
                  },
                  {
                    "name": "from",
                    "in": "query",
                    "required": false,
                    "description": "The client's address.",
                    "schema": {"type": "string"}
                  },
                  {
                    "name": "on",
                    "in": "query",
                    "required": false,
                    "description": "The listener's address.",
                    "schema": {"type": "string"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "What becomes of it, and why.",
                    "content": {"text/plain": {"schema": {"type": "string"}}}
                  },
                  "400": {
                    "description": "What is not understood.",
                    "content": {"text/plain": {"schema": {"type": "string"}}}
                  },
                  "401": {"description": "The token is missing.", "content": {"text/plain": {"schema": {"type": "string"}}}}
                }
              }
            },
            "/flight-recorder": {
              "get": {
                "summary": "What the flight recorder knows now: a dump for uproxy trace.",
                "responses": {
                  "200": {
                    "description": "The dump.",
                    "content": {"application/octet-stream": {"schema": {"type": "string"}}}
                  },
                  "401": {"description": "The token is missing.", "content": {"text/plain": {"schema": {"type": "string"}}}},
                  "404": {"description": "Nothing is recorded.", "content": {"text/plain": {"schema": {"type": "string"}}}}
                }
              }
            },
            "/reload": {
              "post": {
                "summary": "Read the configuration again.",
                "responses": {
                  "200": {"description": "It is in effect.", "content": {"text/plain": {"schema": {"type": "string"}}}},
                  "401": {"description": "The token is missing.", "content": {"text/plain": {"schema": {"type": "string"}}}},
                  "403": {
                    "description": "There is no file, or a web page asked for it.",
                    "content": {"text/plain": {"schema": {"type": "string"}}}
                  },
                  "409": {
                    "description": "Nothing has changed, and why.",
                    "content": {"text/plain": {"schema": {"type": "string"}}}
                  }
                }
              }
            },
            "/api/v1/overview": {
              "get": {
                "summary": "All but single connections.",
                "parameters": [
                  {
                    "name": "exchanges",
                    "in": "query",
                    "required": false,
                    "description": "So many of those under way at most (default: 20).",
                    "schema": {"type": "integer", "minimum": 0, "maximum": 500}
                  },
                  {
                    "name": "tunnels",
                    "in": "query",
                    "required": false,
                    "description": "Whether exchanges that have become tunnels are told of (default: false).",
                    "schema": {"type": "boolean"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "How it stands.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Overview"}}}
                  },
                  "400": {
                    "description": "A parameter that is not understood.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  },
                  "401": {
                    "description": "The token is missing, or another one.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  }
                }
              }
            },
            "/api/v1/process": {
              "get": {
                "summary": "The process.",
                "parameters": [],
                "responses": {
                  "200": {
                    "description": "How it stands.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Process"}}}
                  },
                  "400": {
                    "description": "A parameter that is not understood.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  },
                  "401": {
                    "description": "The token is missing, or another one.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  }
                }
              }
            },
            "/api/v1/workers": {
              "get": {
                "summary": "Its threads.",
                "parameters": [],
                "responses": {
                  "200": {
                    "description": "How it stands.",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["workers"],
                          "properties": {"workers": {"type": "array", "items": {"$ref": "#/components/schemas/Worker"}}}
                        }
                      }
                    }
                  },
                  "400": {
                    "description": "A parameter that is not understood.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  },
                  "401": {
                    "description": "The token is missing, or another one.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  }
                }
              }
            },
            "/api/v1/listeners": {
              "get": {
                "summary": "Its listeners.",
                "parameters": [],
                "responses": {
                  "200": {
                    "description": "How it stands.",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["listeners"],
                          "properties": {"listeners": {"type": "array", "items": {"$ref": "#/components/schemas/Listener"}}}
                        }
                      }
                    }
                  },
                  "400": {
                    "description": "A parameter that is not understood.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  },
                  "401": {
                    "description": "The token is missing, or another one.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  }
                }
              }
            },
            "/api/v1/clusters": {
              "get": {
                "summary": "Its clusters, with their endpoints.",
                "parameters": [],
                "responses": {
                  "200": {
                    "description": "How it stands.",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["clusters"],
                          "properties": {"clusters": {"type": "array", "items": {"$ref": "#/components/schemas/Cluster"}}}
                        }
                      }
                    }
                  },
                  "400": {
                    "description": "A parameter that is not understood.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  },
                  "401": {
                    "description": "The token is missing, or another one.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  }
                }
              }
            },
            "/api/v1/clusters/{cluster}": {
              "get": {
                "summary": "One of them.",
                "parameters": [
                  {
                    "name": "cluster",
                    "in": "path",
                    "required": true,
                    "description": "Its name.",
                    "schema": {"type": "string"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "How it stands.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Cluster"}}}
                  },
                  "400": {
                    "description": "A parameter that is not understood.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  },
                  "401": {
                    "description": "The token is missing, or another one.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  },
                  "404": {
                    "description": "There is no such cluster.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  }
                }
              }
            },
            "/api/v1/clusters/{cluster}/endpoints/{endpoint}/drain": {
              "post": {
                "summary": "Take an endpoint out of service: no request goes there any more, and what is under way there ends in its time. It stays so through reloads, until the process ends.",
                "parameters": [
                  {
                    "name": "cluster",
                    "in": "path",
                    "required": true,
                    "description": "Its name.",
                    "schema": {"type": "string"}
                  },
                  {
                    "name": "endpoint",
                    "in": "path",
                    "required": true,
                    "description": "HOST:PORT or unix:PATH, percent-encoded.",
                    "schema": {"type": "string"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "It is so now, in all workers.",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["cluster", "endpoint", "drained", "changed"],
                          "properties": {
                            "cluster": {"type": "string"},
                            "endpoint": {"type": "string"},
                            "drained": {"type": "boolean"},
                            "changed": {"type": "boolean", "description": "False: it was so already."}
                          }
                        }
                      }
                    }
                  },
                  "400": {
                    "description": "A parameter that is not understood.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  },
                  "401": {
                    "description": "The token is missing, or another one.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  },
                  "403": {
                    "description": "A web page asked for it.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  },
                  "404": {
                    "description": "There is no such cluster, or endpoint.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  },
                  "409": {
                    "description": "All is as it was.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  }
                }
              }
            },
            "/api/v1/clusters/{cluster}/endpoints/{endpoint}/enable": {
              "post": {
                "summary": "Let it back in.",
                "parameters": [
                  {
                    "name": "cluster",
                    "in": "path",
                    "required": true,
                    "description": "Its name.",
                    "schema": {"type": "string"}
                  },
                  {
                    "name": "endpoint",
                    "in": "path",
                    "required": true,
                    "description": "HOST:PORT or unix:PATH, percent-encoded.",
                    "schema": {"type": "string"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "It is so now, in all workers.",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["cluster", "endpoint", "drained", "changed"],
                          "properties": {
                            "cluster": {"type": "string"},
                            "endpoint": {"type": "string"},
                            "drained": {"type": "boolean"},
                            "changed": {"type": "boolean", "description": "False: it was so already."}
                          }
                        }
                      }
                    }
                  },
                  "400": {
                    "description": "A parameter that is not understood.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  },
                  "401": {
                    "description": "The token is missing, or another one.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  },
                  "403": {
                    "description": "A web page asked for it.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  },
                  "404": {
                    "description": "There is no such cluster, or endpoint.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  },
                  "409": {
                    "description": "All is as it was.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  }
                }
              }
            },
            "/api/v1/exchanges": {
              "get": {
                "summary": "Exchanges under way, the oldest first.",
                "parameters": [
                  {
                    "name": "limit",
                    "in": "query",
                    "required": false,
                    "description": "So many at most (default: 50).",
                    "schema": {"type": "integer", "minimum": 0, "maximum": 500}
                  },
                  {
                    "name": "tunnels",
                    "in": "query",
                    "required": false,
                    "description": "Whether exchanges that have become tunnels are told of (default: false).",
                    "schema": {"type": "boolean"}
                  },
                  {
                    "name": "min_age",
                    "in": "query",
                    "required": false,
                    "description": "Those that are so old at least, such as 500ms.",
                    "schema": {"type": "string"}
                  },
                  {
                    "name": "id",
                    "in": "query",
                    "required": false,
                    "description": "The one of this id.",
                    "schema": {"type": "string", "pattern": "^[0-9a-fA-F]{1,16}$"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "How it stands.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Exchanges"}}}
                  },
                  "400": {
                    "description": "A parameter that is not understood.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  },
                  "401": {
                    "description": "The token is missing, or another one.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  }
                }
              }
            },
            "/api/v1/connections": {
              "get": {
                "summary": "Connections of both sides.",
                "parameters": [
                  {
                    "name": "limit",
                    "in": "query",
                    "required": false,
                    "description": "So many at most (default: 100).",
                    "schema": {"type": "integer", "minimum": 0, "maximum": 1000}
                  },
                  {
                    "name": "side",
                    "in": "query",
                    "required": false,
                    "description": "Of this side alone.",
                    "schema": {"type": "string", "enum": ["downstream", "upstream"]}
                  },
                  {
                    "name": "phase",
                    "in": "query",
                    "required": false,
                    "description": "In this phase alone.",
                    "schema": {
                      "type": "string",
                      "enum": [
                        "reading_proxy_header",
                        "handshaking",
                        "multiplexing",
                        "waiting",
                        "reading_head",
                        "exchanging",
                        "discarding",
                        "detached",
                        "connecting",
                        "securing",
                        "leased",
                        "pooled",
                        "borrowed",
                        "retiring",
                        "tunnelling",
                        "closing"
                      ]
                    }
                  }
                ],
                "responses": {
                  "200": {
                    "description": "How it stands.",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["count", "late_workers", "phases", "connections"],
                          "properties": {
                            "count": {"type": "integer", "minimum": 0, "description": "All that were asked for."},
                            "late_workers": {"type": "array", "items": {"type": "integer", "minimum": 0}},
                            "phases": {"$ref": "#/components/schemas/Phases"},
                            "connections": {"type": "array", "items": {"$ref": "#/components/schemas/Connection"}}
                          }
                        }
                      }
                    }
                  },
                  "400": {
                    "description": "A parameter that is not understood.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  },
                  "401": {
                    "description": "The token is missing, or another one.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  }
                }
              }
            },
            "/api/v1/config": {
              "get": {
                "summary": "The configuration in effect.",
                "parameters": [],
                "responses": {
                  "200": {
                    "description": "How it stands.",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["yaml"],
                          "properties": {"yaml": {"type": "string", "description": "As uproxy config print has it."}}
                        }
                      }
                    }
                  },
                  "400": {
                    "description": "A parameter that is not understood.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  },
                  "401": {
                    "description": "The token is missing, or another one.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  }
                }
              }
            },
            "/api/v1/reload": {
              "post": {
                "summary": "Read the configuration again.",
                "responses": {
                  "200": {
                    "description": "It is in effect.",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["done", "lines"],
                          "properties": {"done": {"type": "boolean"}, "lines": {"type": "array", "items": {"type": "string"}}}
                        }
                      }
                    }
                  },
                  "401": {
                    "description": "The token is missing, or another one.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  },
                  "403": {
                    "description": "There is no file, or a web page asked for it.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  },
                  "409": {
                    "description": "Nothing has changed, and why.",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["done", "lines"],
                          "properties": {"done": {"type": "boolean"}, "lines": {"type": "array", "items": {"type": "string"}}}
                        }
                      }
                    }
                  }
                }
              }
            },
            "/api/v1/openapi.json": {
              "get": {
                "summary": "This document.",
                "responses": {
                  "200": {"description": "This document.", "content": {"application/json": {"schema": {"type": "object"}}}},
                  "401": {
                    "description": "The token is missing, or another one.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                  }
                }
              }
            }
          },
          "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "Where admin.token_file is set."}},
            "schemas": {
              "Error": {
                "type": "object",
                "required": ["error"],
                "properties": {"error": {"type": "string", "description": "What is wrong, and often what to do."}}
              },
              "Process": {
                "type": "object",
                "required": ["version", "pid", "ready", "now", "engine", "configuration_reloads", "configuration_reloads_refused"],
                "properties": {
                  "version": {"type": "string"},
                  "pid": {"type": "integer", "minimum": 0},
                  "ready": {"type": "boolean", "description": "Whether a balancer is to send it anything: what /ready says."},
                  "now": {"type": "number", "minimum": 0, "description": "Seconds since 1970."},
                  "engine": {"type": "string", "description": "What runs: threads, driver, memory."},
                  "configuration_reloads": {"type": "integer", "minimum": 0},
                  "configuration_reloads_refused": {"type": "integer", "minimum": 0},
                  "uptime_seconds": {"type": "number", "minimum": 0},
                  "cpu_seconds": {"type": "number", "minimum": 0, "description": "User and system time."},
                  "resident_bytes": {"type": "integer", "minimum": 0},
                  "open_descriptors": {"type": "integer", "minimum": 0},
                  "descriptor_limit": {"type": "integer", "minimum": 0}
                }
              },
              "Worker": {
                "type": "object",
                "required": [
                  "worker",
                  "late",
                  "downstream_connections",
                  "streams",
                  "connection_slots",
                  "exchanges",
                  "turns",
                  "completions",
                  "slices_exhausted",
                  "completion_overflows",
                  "entry_failures",
                  "short_sends",
                  "buffers_leased_bytes",
                  "buffers_peak_bytes",
                  "requests"
                ],
                "properties": {
                  "worker": {"type": "integer", "minimum": 0, "description": "Its number."},
                  "late": {
                    "type": "boolean",
                    "description": "It has not said how it stands while it was waited for: its turn takes too long."
                  },
                  "downstream_connections": {"type": "integer", "minimum": 0},
                  "streams": {"type": "integer", "minimum": 0, "description": "Of HTTP/2, under way."},
                  "connection_slots": {"type": "integer", "minimum": 0, "description": "Connections of both sides."},
                  "exchanges": {"type": "integer", "minimum": 0, "description": "Under way."},
                  "turns": {"type": "integer", "minimum": 0, "description": "Waits in the kernel."},
                  "completions": {"type": "integer", "minimum": 0},
                  "slices_exhausted": {"type": "integer", "minimum": 0, "description": "Receives that found no buffer (ENOBUFS)."},
                  "completion_overflows": {"type": "integer", "minimum": 0},
                  "entry_failures": {"type": "integer", "minimum": 0, "description": "Waits that failed."},
                  "short_sends": {"type": "integer", "minimum": 0, "description": "Sends that left bytes over."},
                  "buffers_leased_bytes": {"type": "integer", "minimum": 0},
                  "buffers_peak_bytes": {"type": "integer", "minimum": 0},
                  "requests": {"type": "integer", "minimum": 0}
                }
              },
              "Histogram": {
                "type": "object",
                "required": ["sum", "cumulative"],
                "properties": {
                  "sum": {"type": "number", "minimum": 0, "description": "Of all, in seconds."},
                  "cumulative": {
                    "type": "array",
                    "items": {"type": "integer", "minimum": 0},
                    "description": "How many were no longer than each of bounds, and at last how many there are."
                  }
                }
              },
              "Responses": {
                "type": "object",
                "description": "Exchanges by the class of their status; none: nothing was answered.",
                "properties": {
                  "none": {"type": "integer", "minimum": 0},
                  "1xx": {"type": "integer", "minimum": 0},
                  "2xx": {"type": "integer", "minimum": 0},
                  "3xx": {"type": "integer", "minimum": 0},
                  "4xx": {"type": "integer", "minimum": 0},
                  "5xx": {"type": "integer", "minimum": 0}
                }
              },
              "Listener": {
                "type": "object",
                "required": ["address", "role", "tls"],
                "properties": {
                  "address": {"type": "string"},
                  "role": {"type": "string", "enum": ["reverse", "forward", "tcp"]},
                  "tls": {"type": "boolean"},
                  "responses": {"$ref": "#/components/schemas/Responses"},
                  "request_bytes": {"type": "integer", "minimum": 0, "description": "Content."},
                  "response_bytes": {"type": "integer", "minimum": 0, "description": "Content."},
                  "duration": {"$ref": "#/components/schemas/Histogram"},
                  "added": {"$ref": "#/components/schemas/Histogram", "description": "What the proxy added."},
                  "upstream_wait": {"$ref": "#/components/schemas/Histogram"}
                }
              },
              "Endpoint": {
                "type": "object",
                "required": ["endpoint", "weight", "state", "idle", "in_use", "waiting", "under_way"],
                "properties": {
                  "endpoint": {"type": "string", "description": "HOST:PORT or unix:PATH."},
                  "weight": {"type": "integer", "minimum": 0},
                  "state": {"type": "string", "enum": ["healthy", "unhealthy", "ejected", "on_trial", "drained"]},
                  "idle": {"type": "integer", "minimum": 0, "description": "Connections."},
                  "in_use": {"type": "integer", "minimum": 0, "description": "Connections."},
                  "waiting": {"type": "integer", "minimum": 0, "description": "Requests that wait for a stream."},
                  "under_way": {"type": "integer", "minimum": 0, "description": "Requests."},
                  "responses": {"$ref": "#/components/schemas/Responses"},
                  "request_bytes": {"type": "integer", "minimum": 0, "description": "Content."},
                  "response_bytes": {"type": "integer", "minimum": 0, "description": "Content."},
                  "duration": {"$ref": "#/components/schemas/Histogram"},
                  "added": {"$ref": "#/components/schemas/Histogram", "description": "What the proxy added."},
                  "upstream_wait": {"$ref": "#/components/schemas/Histogram"},
                  "checked": {"type": "boolean", "description": "Whether health checks say so."},
                  "ejections": {"type": "integer", "minimum": 0},
                  "ejected_for": {"type": "string"},
                  "ejected_until_seconds": {
                    "type": "number",
                    "minimum": 0,
                    "description": "From now; 0: a request may find out whether it works."
                  }
                }
              },
              "Cluster": {
                "type": "object",
                "required": ["name", "balance", "panic", "endpoints"],
                "properties": {
                  "name": {"type": "string"},
                  "balance": {"type": "string"},
                  "panic": {"type": "boolean", "description": "So few endpoints are healthy that all are used."},
                  "endpoints": {"type": "array", "items": {"$ref": "#/components/schemas/Endpoint"}},
                  "responses": {"$ref": "#/components/schemas/Responses"},
                  "request_bytes": {"type": "integer", "minimum": 0, "description": "Content."},
                  "response_bytes": {"type": "integer", "minimum": 0, "description": "Content."},
                  "duration": {"$ref": "#/components/schemas/Histogram"},
                  "added": {"$ref": "#/components/schemas/Histogram", "description": "What the proxy added."},
                  "upstream_wait": {"$ref": "#/components/schemas/Histogram"},
                  "queued": {"type": "integer", "minimum": 0, "description": "Requests that wait for the cluster's limit."},
                  "under_way": {"type": "integer", "minimum": 0, "description": "Requests, where there is a limit."}
                }
              },
              "Phases": {
                "type": "object",
                "description": "Connections by their phase.",
                "required": ["downstream", "upstream"],
                "properties": {
                  "downstream": {
                    "type": "object",
                    "properties": {
                      "reading_proxy_header": {"type": "integer", "minimum": 0},
                      "handshaking": {"type": "integer", "minimum": 0},
                      "multiplexing": {"type": "integer", "minimum": 0},
                      "waiting": {"type": "integer", "minimum": 0},
                      "reading_head": {"type": "integer", "minimum": 0},
                      "exchanging": {"type": "integer", "minimum": 0},
                      "discarding": {"type": "integer", "minimum": 0},
                      "detached": {"type": "integer", "minimum": 0},
                      "connecting": {"type": "integer", "minimum": 0},
                      "securing": {"type": "integer", "minimum": 0},
                      "leased": {"type": "integer", "minimum": 0},
                      "pooled": {"type": "integer", "minimum": 0},
                      "borrowed": {"type": "integer", "minimum": 0},
                      "retiring": {"type": "integer", "minimum": 0},
                      "tunnelling": {"type": "integer", "minimum": 0},
                      "closing": {"type": "integer", "minimum": 0}
                    }
                  },
                  "upstream": {
                    "type": "object",
                    "properties": {
                      "reading_proxy_header": {"type": "integer", "minimum": 0},
                      "handshaking": {"type": "integer", "minimum": 0},
                      "multiplexing": {"type": "integer", "minimum": 0},
                      "waiting": {"type": "integer", "minimum": 0},
                      "reading_head": {"type": "integer", "minimum": 0},
                      "exchanging": {"type": "integer", "minimum": 0},
                      "discarding": {"type": "integer", "minimum": 0},
                      "detached": {"type": "integer", "minimum": 0},
                      "connecting": {"type": "integer", "minimum": 0},
                      "securing": {"type": "integer", "minimum": 0},
                      "leased": {"type": "integer", "minimum": 0},
                      "pooled": {"type": "integer", "minimum": 0},
                      "borrowed": {"type": "integer", "minimum": 0},
                      "retiring": {"type": "integer", "minimum": 0},
                      "tunnelling": {"type": "integer", "minimum": 0},
                      "closing": {"type": "integer", "minimum": 0}
                    }
                  }
                }
              },
              "Exchange": {
                "type": "object",
                "required": [
                  "worker",
                  "age",
                  "state",
                  "waits_for",
                  "kind",
                  "protocol",
                  "attempts",
                  "request_bytes",
                  "request_done",
                  "downstream"
                ],
                "properties": {
                  "worker": {"type": "integer", "minimum": 0},
                  "age": {"type": "number", "minimum": 0, "description": "in seconds"},
                  "state": {
                    "type": "string",
                    "enum": [
                      "queued",
                      "awaiting_place",
                      "resolving",
                      "awaiting_stream",
                      "awaiting_offer",
                      "authenticating",
                      "connecting",
                      "forwarding",
                      "responding",
                      "tunnelling"
                    ]
                  },
                  "waits_for": {"type": "string", "description": "What it waits for, and of whom."},
                  "kind": {"type": "string", "enum": ["ordinary", "mirror", "hedge"]},
                  "protocol": {"type": "string", "enum": ["1.0", "1.1", "2", "tcp"]},
                  "attempts": {"type": "integer", "minimum": 0, "description": "Requests sent to endpoints."},
                  "request_bytes": {"type": "integer", "minimum": 0, "description": "Content that was passed on."},
                  "request_done": {"type": "boolean", "description": "The request has been passed on whole."},
                  "downstream": {"type": "integer", "minimum": 0, "description": "Its connection's slot."},
                  "id": {"type": "string", "description": "As the access log has it: 16 hexadecimal digits."},
                  "stage": {"type": "string", "description": "Of the ledger."},
                  "stage_age": {"type": "number", "minimum": 0, "description": "in seconds"},
                  "method": {"type": "string"},
                  "host": {"type": "string"},
                  "path": {"type": "string", "description": "Without the query."},
                  "client": {"type": "string"},
                  "listener": {"type": "string"},
                  "route": {"type": "string"},
                  "cluster": {"type": "string"},
                  "endpoint": {"type": "string"},
                  "upstream": {"type": "integer", "minimum": 0, "description": "Its connection's slot."}
                }
              },
              "Connection": {
                "type": "object",
                "required": [
                  "worker",
                  "slot",
                  "side",
                  "phase",
                  "phase_age",
                  "idle",
                  "peer",
                  "requests",
                  "input_bytes",
                  "output_bytes",
                  "tls",
                  "stream",
                  "streams"
                ],
                "properties": {
                  "worker": {"type": "integer", "minimum": 0},
                  "slot": {"type": "integer", "minimum": 0},
                  "side": {"type": "string", "enum": ["downstream", "upstream"]},
                  "phase": {
                    "type": "string",
                    "enum": [
                      "reading_proxy_header",
                      "handshaking",
                      "multiplexing",
                      "waiting",
                      "reading_head",
                      "exchanging",
                      "discarding",
                      "detached",
                      "connecting",
                      "securing",
                      "leased",
                      "pooled",
                      "borrowed",
                      "retiring",
                      "tunnelling",
                      "closing"
                    ]
                  },
                  "phase_age": {"type": "number", "minimum": 0, "description": "in seconds"},
                  "idle": {"type": "number", "minimum": 0, "description": "Seconds since bytes last came or went."},
                  "peer": {"type": "string", "description": "The client's address, or the endpoint."},
                  "requests": {"type": "integer", "minimum": 0},
                  "input_bytes": {"type": "integer", "minimum": 0, "description": "Received, and not consumed."},
                  "output_bytes": {"type": "integer", "minimum": 0, "description": "To be sent."},
                  "tls": {"type": "boolean"},
                  "stream": {"type": "boolean", "description": "It is one of HTTP/2, not a connection."},
                  "streams": {"type": "integer", "minimum": 0, "description": "Of HTTP/2 on it."},
                  "listener": {"type": "string"},
                  "descriptor": {"type": "integer", "minimum": 0}
                }
              },
              "Exchanges": {
                "type": "object",
                "required": ["exchanges_under_way", "late_workers", "exchanges"],
                "properties": {
                  "exchanges_under_way": {"type": "integer", "minimum": 0, "description": "All of them."},
                  "late_workers": {
                    "type": "array",
                    "items": {"type": "integer", "minimum": 0},
                    "description": "Workers that have not said theirs."
                  },
                  "exchanges": {
                    "type": "array",
                    "items": {"$ref": "#/components/schemas/Exchange"},
                    "description": "The oldest first."
                  }
                }
              },
              "Overview": {
                "type": "object",
                "required": [
                  "process",
                  "workers",
                  "counters",
                  "failures",
                  "connections",
                  "exchange_states",
                  "memory",
                  "bounds",
                  "listeners",
                  "clusters",
                  "exchanges_under_way",
                  "late_workers",
                  "exchanges"
                ],
                "properties": {
                  "process": {"$ref": "#/components/schemas/Process"},
                  "workers": {"type": "array", "items": {"$ref": "#/components/schemas/Worker"}},
                  "counters": {
                    "type": "object",
                    "additionalProperties": {"type": "integer", "minimum": 0},
                    "description": "As /metrics has them, less the prefix uproxy_."
                  },
                  "failures": {
                    "type": "object",
                    "additionalProperties": {"type": "integer", "minimum": 0},
                    "description": "Exchanges that failed, by cause."
                  },
                  "connections": {"$ref": "#/components/schemas/Phases"},
                  "exchange_states": {
                    "type": "object",
                    "properties": {
                      "queued": {"type": "integer", "minimum": 0},
                      "awaiting_place": {"type": "integer", "minimum": 0},
                      "resolving": {"type": "integer", "minimum": 0},
                      "awaiting_stream": {"type": "integer", "minimum": 0},
                      "awaiting_offer": {"type": "integer", "minimum": 0},
                      "authenticating": {"type": "integer", "minimum": 0},
                      "connecting": {"type": "integer", "minimum": 0},
                      "forwarding": {"type": "integer", "minimum": 0},
                      "responding": {"type": "integer", "minimum": 0},
                      "tunnelling": {"type": "integer", "minimum": 0}
                    },
                    "required": [
                      "queued",
                      "awaiting_place",
                      "resolving",
                      "awaiting_stream",
                      "awaiting_offer",
                      "authenticating",
                      "connecting",
                      "forwarding",
                      "responding",
                      "tunnelling"
                    ]
                  },
                  "memory": {
                    "type": "object",
                    "additionalProperties": {"type": "integer", "minimum": 0},
                    "description": "Bytes, by what they are for."
                  },
                  "bounds": {
                    "type": "array",
                    "items": {"type": "number", "minimum": 0},
                    "description": "Of histograms, in seconds."
                  },
                  "listeners": {"type": "array", "items": {"$ref": "#/components/schemas/Listener"}},
                  "clusters": {"type": "array", "items": {"$ref": "#/components/schemas/Cluster"}},
                  "exchanges_under_way": {"type": "integer", "minimum": 0, "description": "All of them."},
                  "late_workers": {
                    "type": "array",
                    "items": {"type": "integer", "minimum": 0},
                    "description": "Workers that have not said theirs."
                  },
                  "exchanges": {
                    "type": "array",
                    "items": {"$ref": "#/components/schemas/Exchange"},
                    "description": "The oldest first."
                  }
                }
              }
            }
          }
        }

        """#
}
