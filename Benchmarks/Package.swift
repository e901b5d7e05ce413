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

// A package of its own, so that what measures the engine is never part of it. Whole-proxy measurements are in
// bench/; `scripts/bench` runs both.
let package = Package(
    name: "Benchmarks",
    products: [.executable(name: "load", targets: ["Load"])],
    dependencies: [.package(name: "uproxy", path: "..")],
    targets: [
        .executableTarget(
            name: "Codec",
            dependencies: [.product(name: "UringProxy", package: "uproxy")]),
        // The load generator shares nothing with the engine but system calls: a parser that judges another must not
        // make the same mistakes.
        .target(name: "CLoad"),
        .executableTarget(
            name: "Load",
            dependencies: ["CLoad", .product(name: "CPosix", package: "uproxy")],
            swiftSettings: settings),
        .testTarget(name: "LoadTests", dependencies: ["Load"], swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
