// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that what measures the engine is never part of it. The engine's sources (`Sources/Engine` links to them)
// are compiled into the module that measures them: from another module its small types would be neither inlined nor
// specialised, and something else would be measured. Whole-proxy measurements are the scripts beside this file.
let package = Package(
    name: "Benchmarks",
    targets: [
        .target(
            name: "CURing", path: "Sources/Engine/CURing", linkerSettings: [.linkedLibrary(":liburing.a")]),
        .target(name: "CPosix", path: "Sources/Engine/CPosix"),
        .target(name: "CBytes", path: "Sources/Engine/CBytes"),
        .systemLibrary(name: "CAres", path: "Sources/Engine/CAres", pkgConfig: "libcares"),
        .executableTarget(
            name: "Micro", dependencies: ["CURing", "CPosix", "CBytes", "CAres"], path: "Sources",
            exclude: ["Engine/CAres", "Engine/CBytes", "Engine/CPosix", "Engine/CURing", "Engine/uproxy"],
            sources: ["Engine/UringProxy", "Micro"],
            swiftSettings: [
                .define("Uring"),
                .treatAllWarnings(as: .error),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableExperimentalFeature("Lifetimes"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
