// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that what measures the engine is never part of it. Whole-proxy measurements are in
// compare.py; `scripts/bench` runs both.
let package = Package(
    name: "Benchmarks",
    dependencies: [.package(name: "uproxy", path: "..")],
    targets: [
        .executableTarget(
            name: "Codec",
            dependencies: [.product(name: "UringProxy", package: "uproxy")])
    ],
    swiftLanguageModes: [.v6]
)
