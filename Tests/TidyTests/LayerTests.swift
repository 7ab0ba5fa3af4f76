// The layers of ARCHITECTURE.md: imports point down only, each C library has one importer, and trust domains stay apart.
import Testing

/// Lower numbers are lower layers; a module imports only what stands strictly below it, or what `besides` names.
private let layer: [String: Int] = [
  "CGMP": 0, "CSodium": 0, "COpenBLAS": 0, "CTurboJPEG": 0, "CPNG": 0, "CZlib": 0, "CKernels": 0, "CProcess": 0,
  "Sodium": 1, "GMP": 1, "Safetensors": 1, "TLSIdentity": 1,
  "Masking": 2, "DPAccountant": 2, "TorchWeights": 2,
  "SecAgg": 3, "Detector": 3, "Ledger": 3,
  "Federation": 4,
  "Transport": 5, "TransportServer": 6,
  "Coordinator": 7, "Participant": 7,
  "CommandLineKit": 0,
  "Demo": 8, "Simulation": 8,
  "SecAggCommand": 9, "TrainerCommand": 9, "ServerCommand": 9, "ClientCommand": 9, "RosterCommand": 9,
  "AuditCommand": 9,
]

/// Who alone may import what comes from outside.
private let onlyIn: [String: Set<String>] = [
  "CGMP": ["GMP"], "CSodium": ["Sodium"], "COpenBLAS": ["Detector"], "CTurboJPEG": ["Detector"], "CPNG": ["Detector"],
  "CKernels": ["Masking", "Detector"], "CZlib": ["Demo"], "CProcess": ["Participant"],
  "GRPCCore": ["Transport", "TransportServer"], "GRPCProtobuf": ["Transport", "TransportServer"],
  "GRPCNIOTransportHTTP2Posix": ["Transport", "TransportServer"], "SwiftProtobuf": ["Transport", "TransportServer"],
  "Yams": ["Federation", "Detector"], "X509": ["TLSIdentity", "Transport", "TransportServer"],
]

@Suite struct LayerTests {
  @Test func everyModuleHasALayer() {
    for module in Set(SourceTree.swiftSources.map(\.module)) {
      #expect(layer[module] != nil, "module \(module) has no layer: add it to the table and to ARCHITECTURE.md")
    }
  }

  @Test func importsPointDown() {
    for file in SourceTree.swiftSources {
      for name in file.imports where layer[name] != nil && name != file.module {
        #expect(layer[name]! < layer[file.module] ?? 0, "\(file.path) imports \(name), which does not stand below it")
      }
    }
  }

  @Test func eachForeignLibraryHasItsImporter() {
    for file in SourceTree.swiftSources {
      for name in file.imports {
        guard let allowed = onlyIn[name] else { continue }
        #expect(allowed.contains(file.module), "\(file.path) imports \(name); only \(allowed.sorted()) may")
      }
    }
  }

  @Test func theClientSeesNoImagesAndTheTrainerNoKeys() {
    let client = reachable(from: "ClientCommand")
    #expect(client.contains("Participant"))
    #expect(client.isDisjoint(with: ["Detector", "COpenBLAS", "CTurboJPEG", "CPNG", "TransportServer", "Coordinator"]))
    let trainer = reachable(from: "TrainerCommand")
    #expect(trainer.contains("Detector"))
    #expect(trainer.isDisjoint(with: ["Transport", "TransportServer", "Federation", "SecAgg", "Participant", "Masking", "TLSIdentity"]))
    // Noise needs the operating system's random bytes; of Sodium the trainer has those alone.
    for file in SourceTree.swiftSources where ["Detector", "TrainerCommand"].contains(file.module) && file.imports.contains("Sodium") {
      for word in ["Ed25519", "X25519", "AEAD", "SecretBytes", "Scalar", "Ristretto", "BLAKE2b"] {
        #expect(!file.text.contains(word), "\(file.path) uses \(word): the trainer has random bytes and no keys")
      }
    }
    let roster = reachable(from: "RosterCommand")
    #expect(roster.isDisjoint(with: ["Transport", "TransportServer", "Detector"]))
  }

  /// The auditor is small enough to review by hand, shares no code with the protocol that it audits, and reaches no network.
  @Test func theAuditorReachesLittle() {
    let auditor = reachable(from: "AuditCommand")
    #expect(auditor == ["AuditCommand", "Ledger", "DPAccountant", "Sodium", "GMP", "CommandLineKit", "CSodium", "CGMP"])
    let allowed: Set<String> = ["Foundation", "Dispatch", "Synchronization", "ArgumentParser"]
    for file in SourceTree.swiftSources where ["AuditCommand", "Ledger"].contains(file.module) {
      for name in file.imports where !auditor.contains(name) {
        #expect(allowed.contains(name), "\(file.path) imports \(name)")
      }
    }
  }

  @Test func pureModulesTouchNothingOutside() {
    let forbidden = [
      "FileManager", "FileHandle", "Thread(", "Date()", "Task {", "DispatchQueue", "SystemRandomNumberGenerator", "URLSession",
    ]
    for file in SourceTree.swiftSources where ["Masking", "DPAccountant", "SecAgg", "Ledger"].contains(file.module) {
      for word in forbidden {
        #expect(!file.text.contains(word), "\(file.path) uses \(word): this module is pure")
      }
    }
  }

  private func reachable(from start: String) -> Set<String> {
    var seen: Set<String> = []
    var next = [start]
    while let module = next.popLast() {
      guard seen.insert(module).inserted else { continue }
      for file in SourceTree.swiftSources where file.module == module {
        next += file.imports.filter { layer[$0] != nil && !seen.contains($0) }
      }
    }
    return seen
  }
}
