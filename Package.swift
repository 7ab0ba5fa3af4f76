// swift-tools-version: 6.2
// The house of SecAgg: one target a room, imports point down only (Tests/TidyTests holds them to it).
import PackageDescription

// A test build adds what only tests may have: `@testable` access and the plain-sum oracle.
let isTestBuild = Context.environment["SECAGG_TEST_BUILD"] == "1"

// A fuzzing build (tools/fuzz) adds the targets of Fuzz/ and coverage counters in our own modules.
let isFuzzBuild = Context.environment["SECAGG_FUZZ"] == "1"

let swift: [SwiftSetting] =
  [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")]
  + (isTestBuild ? [.unsafeFlags(["-enable-testing"]), .define("SECAGG_ORACLE")] : [])
  + (isFuzzBuild ? [.unsafeFlags(["-sanitize=fuzzer"])] : [])

// Hot loops in C are optimised in every configuration.
let kernels: [CSetting] = [.unsafeFlags(["-O3", "-fno-math-errno", "-ffp-contract=fast"])]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: swift)
}
func command(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .executableTarget(name: name, dependencies: dependencies + ["CommandLineKit", argumentParser], swiftSettings: swift)
}
func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: swift)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let grpc: [Target.Dependency] = [
  .product(name: "GRPCCore", package: "grpc-swift-2"),
  .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
  .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
  .product(name: "SwiftProtobuf", package: "swift-protobuf"),
  .product(name: "NIOCore", package: "swift-nio"),
  .product(name: "NIOPosix", package: "swift-nio"),
]

let package = Package(
  name: "SecAgg",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "secagg", targets: ["SecAggCommand"]),
    .executable(name: "secagg-trainer", targets: ["TrainerCommand"]),
    .executable(name: "secagg-server", targets: ["ServerCommand"]),
    .executable(name: "secagg-client", targets: ["ClientCommand"]),
    .executable(name: "secagg-roster", targets: ["RosterCommand"]),
    .executable(name: "secagg-audit", targets: ["AuditCommand"]),
  ],
  dependencies: [
    .package(url: "https://github.com/grpc/grpc-swift-2", exact: "2.4.3"),
    .package(url: "https://github.com/grpc/grpc-swift-nio-transport", exact: "2.9.2"),
    .package(url: "https://github.com/grpc/grpc-swift-protobuf", exact: "2.4.1"),
    .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0", traits: []),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    .package(url: "https://github.com/apple/swift-asn1", exact: "1.7.4"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/apple/swift-certificates", exact: "1.21.1"),
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
  ],
  targets: [
    // C
    .systemLibrary(name: "CGMP", pkgConfig: "gmp", providers: [.apt(["libgmp-dev"])]),
    .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CKernels", cSettings: kernels),
    .target(name: "CProcess"),

    // primitives
    library("Sodium", ["CSodium"]),
    library("GMP", ["CGMP"]),
    library("Safetensors"),
    library("TorchWeights", ["Safetensors"]),
    library("TLSIdentity", [crypto, x509, asn1]),

    // mathematics
    library("Masking", ["Sodium", "GMP", "CKernels", crypto, cryptoExtras]),
    library("DPAccountant", ["GMP", "Sodium"]),

    // protocol
    library("SecAgg", ["Sodium", "Masking", "GMP", "DPAccountant"]),
    library("Ledger", ["Sodium", "GMP", "DPAccountant"]),
    library("Detector", ["DPAccountant", "Sodium", "COpenBLAS", "CKernels", "CTurboJPEG", "CPNG", "Safetensors", "TorchWeights", yams]),

    // runtime
    library("Federation", ["SecAgg", "DPAccountant", "Sodium", "Safetensors", "TLSIdentity", yams]),
    library("Transport", ["TLSIdentity", logging, nioSSL, nioTLS] + grpc),
    library("TransportServer", ["Transport", "TLSIdentity", logging, nioSSL, nioTLS] + grpc),
    library("Coordinator", ["SecAgg", "Federation", "Transport", "TransportServer", "Safetensors", "Sodium", logging]),
    library("Participant", ["CProcess", "SecAgg", "Federation", "Transport", "Safetensors", "Sodium", logging]),

    // apps
    library("CommandLineKit", [argumentParser]),
    library("Simulation", ["SecAgg", "Federation", "Participant", "Masking", "Sodium"]),
    library("Demo", ["Detector", "Federation", "CommandLineKit", "CZlib", "Safetensors"]),

    // executables
    command(
      "SecAggCommand",
      ["Detector", "Demo", "DPAccountant", "Federation", "GMP", "Masking", "Safetensors", "SecAgg", "Simulation", "Sodium"]),
    command("TrainerCommand", ["Detector", "Safetensors"]),
    command("ServerCommand", ["Coordinator", "Federation", "Transport", "TransportServer", "TLSIdentity", logging]),
    command("ClientCommand", ["Participant", "Federation", "SecAgg", "Transport", "TLSIdentity", logging]),
    command("RosterCommand", ["Federation", "Sodium"]),
    command("AuditCommand", ["Ledger", "Sodium"]),

    // tests
    tests("TransportTests", ["TransportServer", "Transport", "TLSIdentity", logging, nioSSL] + grpc),
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: swift),
    tests("DetectorTests", ["Detector", "Safetensors", "TestSupport", "CKernels"], exclude: ["Vectors"]),
    tests("ParticipantTests", ["Participant", "Federation", "SecAgg", "Sodium", "Safetensors", "Transport", logging]),
    tests(
      "CoordinatorTests",
      ["Coordinator", "Participant", "Federation", "SecAgg", "Sodium", "Safetensors", "Transport", "TransportServer", logging]),
    tests("SodiumTests", ["Sodium"]),
    tests("GMPTests", ["GMP"]),
    tests("DPAccountantTests", ["DPAccountant", "GMP", "Sodium", "TestSupport"], exclude: ["Vectors"]),
    tests("MaskingTests", ["Masking", "Sodium", "GMP", "TestSupport"], exclude: ["Vectors"]),
    tests("SecAggTests", ["SecAgg", "DPAccountant", "Sodium", "Masking", "TestSupport"], exclude: ["Vectors"]),
    tests("FederationTests", ["Federation", "SecAgg", "Sodium", "Safetensors", "TLSIdentity"], exclude: ["Vectors"]),
    tests(
      "CommandTests",
      [
        "SecAggCommand", "TrainerCommand", "ServerCommand", "ClientCommand", "RosterCommand", "Federation", "SecAgg", "Sodium", "Detector",
        "Participant", "Safetensors", "CommandLineKit", "TestSupport",
      ]),
    tests(
      "LedgerTests",
      ["Ledger", "AuditCommand", "CommandLineKit", "SecAgg", "Federation", "Sodium", "DPAccountant", "TLSIdentity", argumentParser]),
    tests("TidyTests", []),
    tests("VectorTests", ["SecAgg", "Masking", "Sodium", "Participant", "Federation"]),
    tests("SimulationTests", ["Simulation", "SecAgg"]),
    tests("CommandLineKitTests", ["CommandLineKit", argumentParser]),
    tests("SafetensorsTests", ["Safetensors"]),
    tests("TorchWeightsTests", ["TorchWeights", "Safetensors", "TestSupport"], exclude: ["Vectors"]),
    tests("DemoTests", ["Demo", "Detector", "Federation", "TestSupport"]),
  ]
)

// A sanitizer's build (tools/sanitize) takes some of the tests and what they need, no more.
if let wanted = Context.environment["SECAGG_TESTS"]?.split(separator: " ").map(String.init) {
  package.targets.removeAll { $0.type == .test && !wanted.contains($0.name) }
}

if isFuzzBuild {
  // lld: gold fails on the counters' sections.
  package.targets.append(
    .executableTarget(
      name: "Fuzz",
      dependencies: [
        "SecAgg", "Masking", "Sodium", "Federation", "Safetensors", "TorchWeights", "Detector", "TLSIdentity", "Participant", "Transport",
      ] + grpc,
      path: "Fuzz", exclude: ["Corpus"], swiftSettings: swift,
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]))
}
