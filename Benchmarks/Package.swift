// swift-tools-version: 6.2
import PackageDescription

/// As for the engine: warnings are errors, unsafe code is marked where it stands.
let settings: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),
]

/// What of the engine is measured alone, and what that uses.
let engineRooms = [
    "Access", "Addresses", "Buffers", "Config", "Geo", "HTTP", "HTTP2", "IO", "Observability", "Routing", "Timers",
    "TLS", "Upstream",
    "Proxy/Connection.swift", "Proxy/ProxyError.swift",
]

// A package of its own, so that what measures the engine is never part of it. `scripts/bench` runs all of it; whole
// proxies are measured by bench/.
//
// The engine's sources (`Sources/Engine` links to them) are compiled into the module that measures them: from another module
// its small types would be neither inlined nor specialised, and something else would be measured. Those that only whole proxies
// need stay out: they are most of a build.
let package = Package(
    name: "Benchmarks",
    products: [
        .executable(name: "load", targets: ["Load"]),
        .executable(name: "micro", targets: ["Micro"]),
    ],
    targets: [
        .target(
            name: "CURing", path: "Sources/Engine/CURing", linkerSettings: [.linkedLibrary(":liburing.a")]),
        .target(
            name: "CCrypt", path: "Sources/Engine/CCrypt",
            linkerSettings: [.linkedLibrary(":libcrypt.a"), .linkedLibrary("crypto")]),
        .target(
            name: "COpenSSL", path: "Sources/Engine/COpenSSL",
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        .target(
            name: "CNghttp2", path: "Sources/Engine/CNghttp2", linkerSettings: [.linkedLibrary("nghttp2")]),
        .target(
            name: "CMaxMindDB", path: "Sources/Engine/CMaxMindDB",
            linkerSettings: [.linkedLibrary(":libmaxminddb.a")]),
        .target(name: "CPosix", path: "Sources/Engine/CPosix"),
        .target(name: "CBytes", path: "Sources/Engine/CBytes"),
        .systemLibrary(name: "CAres", path: "Sources/Engine/CAres", pkgConfig: "libcares"),
        .systemLibrary(name: "CPcre2", path: "Sources/Engine/CPcre2", pkgConfig: "libpcre2-8"),
        .executableTarget(
            name: "Micro",
            dependencies: ["CURing", "CPosix", "CBytes", "CAres", "CCrypt", "CMaxMindDB", "CNghttp2", "COpenSSL", "CPcre2"],
            path: "Sources",
            sources: engineRooms.map { "Engine/UringProxy/" + $0 } + ["Micro"],
            // Counting is of the same code as the engine's; what is marked `unsafe` there is checked there.
            swiftSettings: [.define("Uring")] + settings.dropFirst()),
        // The load generator shares no code with the engine but its system calls: a parser that measures the other
        // must not make the same mistakes.
        .target(name: "CLoad"),
        .executableTarget(name: "Load", dependencies: ["CLoad", "CPosix"], swiftSettings: settings),
        .testTarget(name: "LoadTests", dependencies: ["Load"], swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
