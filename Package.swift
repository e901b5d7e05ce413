// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: warnings are errors, unsafe code is marked where it stands.
let settings: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),
]

let package = Package(
    name: "uproxy",
    products: [
        .executable(name: "uproxy", targets: ["uproxy"]),
        .library(name: "UringProxy", targets: ["UringProxy"]),
    ],
    traits: [
        .trait(name: "Uring", description: "The io_uring driver; without it the build is epoll only."),
        .default(enabledTraits: ["Uring"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
    ],
    targets: [
        .target(
            name: "CURing",
            linkerSettings: [
                // The static archive: it exports what Debian 12's liburing.so 2.3 forgot, and costs 19 KB.
                .linkedLibrary(":liburing.a", .when(traits: ["Uring"]))
            ]),
        .target(
            name: "CYaml",
            // The static archive (0.2.5 is a decade's only release): no further package to run, 100 KB.
            linkerSettings: [.linkedLibrary(":libyaml.a")]),
        .target(
            name: "CCrypt",
            // libcrypto is the shared one of COpenSSL: two of them in a process would share some of their names.
            linkerSettings: [.linkedLibrary(":libcrypt.a"), .linkedLibrary("crypto")]),
        .target(
            name: "COpenSSL",
            // Shared libraries: the distribution's updates of them are security's.
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        .target(
            name: "CNghttp2",
            // Shared, for the same reason.
            linkerSettings: [.linkedLibrary("nghttp2")]),
        .target(
            name: "CMaxMindDB",
            // The static archive: 25 KB, and no further package is needed to run.
            linkerSettings: [.linkedLibrary(":libmaxminddb.a")]),
        .target(name: "CPosix"),
        .target(name: "CBytes"),
        // Its files are part of its one source.
        .target(name: "CAdminFiles", exclude: ["status.html", "status.js", "status.css", "openapi.json"]),
        .systemLibrary(name: "CAres", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
        .systemLibrary(name: "CPcre2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
        .target(
            name: "UringProxy",
            dependencies: [
                "CPosix", "CBytes", "CAres", "CCrypt", "CMaxMindDB", "CNghttp2", "COpenSSL", "CAdminFiles", "CYaml",
                "CPcre2",
                .target(name: "CURing", condition: .when(traits: ["Uring"])),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "uproxy",
            dependencies: [
                "UringProxy", "CPosix",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),
        .target(
            name: "Simulation", dependencies: ["UringProxy", "TestSupport"], path: "Tests/Simulation", swiftSettings: settings),
        .executableTarget(
            name: "simulate", dependencies: ["Simulation"], path: "Tests/Simulate", swiftSettings: settings),
        // Sockets to speak raw HTTP with, and the other end of TLS.
        .target(
            name: "TestSupport", dependencies: ["CPosix", "CTestTLS", "CNghttp2"], path: "Tests/Support",
            swiftSettings: settings),
        .target(
            name: "CTestTLS", path: "Tests/CTestTLS",
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        // Tables that both test targets go through: the parsers alone, and the whole proxy.
        .target(name: "Battery", path: "Tests/Battery", swiftSettings: settings),
        .testTarget(
            name: "UringProxyTests", dependencies: ["UringProxy", "Battery", "TestSupport", "Simulation"],
            swiftSettings: settings),
        .testTarget(
            name: "ProxyTests", dependencies: ["UringProxy", "Battery", "CPosix", "TestSupport"], swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
