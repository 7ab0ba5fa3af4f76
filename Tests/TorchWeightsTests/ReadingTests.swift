// Files by PyTorch itself, and unusual but lawful ones: names, order, types, shapes and every byte are those of PyTorch's state_dict.

import Safetensors
import TestSupport
import Testing

@testable import TorchWeights

@Suite struct ReadingTests {
  @Test(arguments: Fixtures.names("good_"))
  func readsAsPyTorchDoes(_ name: String) throws {
    let file = try TorchFile.read(path: vectorPath("\(name).pt"))
    let expected = try SafetensorsFile.read(path: vectorPath("\(name).safetensors"))
    #expect(file.entries.map(\.name) == expected.entries.map(\.name))
    for (entry, wanted) in zip(file.entries, expected.entries) {
      #expect(entry.dtype == wanted.dtype && entry.shape == wanted.shape, "\(entry.name)")
      #expect(entry.data == wanted.data, "\(entry.name)")
    }
    let again = try SafetensorsFile(parsing: file.safetensors().serialise())
    #expect(again.entries.map(\.name) == expected.entries.map(\.name))
    for (entry, wanted) in zip(again.entries, expected.entries) { #expect(entry.data == wanted.data && entry.shape == wanted.shape) }
  }

  @Test func thereAreFiles() {
    #expect(Fixtures.names("good_").count >= 12)
    #expect(Fixtures.names("bad_").count >= 100)
  }

  /// A real checkpoint of v7.0, half precision, and what v7.0 said its weights are, in single precision.
  @Test func readsARealCheckpoint() throws {
    let bytes = try Fixtures.bytes("blood-3-sites.pt")
    #expect(TorchFile.isCheckpoint(bytes))
    let file = try TorchFile(parsing: bytes)
    let expected = try SafetensorsFile.read(path: vectorPath("blood-3-sites.safetensors"))
    let names = try String(contentsOfFile: vectorPath("blood-3-sites.names"), encoding: .utf8).split(separator: "\n").map(String.init)
    #expect(file.entries.map(\.name) == names)
    #expect(Set(names) == Set(expected.entries.map(\.name)) && names.count == 349)
    let converted = try SafetensorsFile(parsing: file.safetensors().serialise())
    for entry in converted.entries {
      let wanted = try expected.entry(entry.name)
      #expect(entry.shape == wanted.shape, "\(entry.name)")
      if wanted.dtype == .i64 {
        #expect(entry.dtype == .i64 && entry.data == wanted.data, "\(entry.name)")
      } else {
        #expect(entry.dtype == .f16)
        #expect(try entry.floats().map(\.bitPattern) == wanted.floats().map(\.bitPattern), "\(entry.name)")
      }
    }
    #expect(converted.metadata == ["names": "WBC\nRBC\nPLT", "date": "2026-11-22T20:44:42.456267"])
    #expect(file.taskClass == "models.yolo.DetectionModel" && file.strides == [8, 16, 32] && file.skipped.isEmpty)
    #expect(file.epoch == nil && file.bestFitness == nil && file.trainingOptions?["epochs"] == .int(24))
    #expect(file.modelYAML?["nc"] == .int(3) && file.modelYAML?["depth_multiple"] == .double(0.33))
    guard case .list(let backbone)? = file.modelYAML?["backbone"] else { throw TorchWeightsError(.malformedCheckpoint, "no backbone") }
    #expect(backbone.first == .list([.int(-1), .int(1), .string("Conv"), .list([.int(64), .int(6), .int(2), .int(2)])]))
    #expect(backbone.count == 10)
  }

  @Test func choosesTheWeights() throws {
    let bytes = try Fixtures.bytes("good_module.pt")
    let best = try TorchFile(parsing: bytes)
    let ema = try TorchFile(parsing: bytes, weights: .ema)
    let model = try TorchFile(parsing: bytes, weights: .model)
    #expect(best.entries.map(\.data) == ema.entries.map(\.data))
    #expect(best.entries.map(\.data) != model.entries.map(\.data))
    #expect(best.entries.map(\.name) == model.entries.map(\.name))
    let only = try SafetensorsFile.read(path: vectorPath("good_model_only.safetensors"))
    #expect(model.entries.map(\.data) == only.entries.map(\.data))
    #expect(try refusal(Fixtures.bytes("good_model_only.pt"), weights: .ema) == .malformedCheckpoint)
    #expect(try refusal(Fixtures.bytes("good_state_dict.pt"), weights: .ema) == .malformedCheckpoint)
    #expect(try refusal(Fixtures.bytes("good_state_dict.pt"), weights: .model) == nil)
  }
}

@Suite struct FactTests {
  private func file(_ name: String) throws -> TorchFile { try TorchFile.read(path: vectorPath("\(name).pt")) }

  @Test func readsWhatStandsBesideTheWeights() throws {
    let file = try file("good_module")
    #expect(file.names == ["red", "b lue"], "a line feed would split the name in two")
    #expect(file.epoch == 7 && file.bestFitness == 0.625 && file.date == "2026-11-22T20:44:42.456267" && file.strides == [8, 16])
    #expect(file.taskClass == "models.yolo.DetectionModel")
    #expect(file.trainingOptions?["hyp"]?["lr0"] == .double(0.01) && file.trainingOptions?["evolve"] == .null)
    let metadata = file.safetensors().metadata
    #expect(metadata == ["names": "red\nb lue", "epoch": "7", "date": "2026-11-22T20:44:42.456267"])
  }

  @Test func readsOtherFormsOfTheSame() throws {
    let newer = try file("good_protocol4")
    #expect(newer.names == ["red", "blue"] && newer.bestFitness == 0.25 && newer.date == "2026-01-02T03:04:05.000006")
    let older = try file("good_protocol2_scalar")
    #expect(older.bestFitness == 0.5 && older.date == "2026-01-02T03:04:05")
    let only = try file("good_model_only")
    #expect(only.epoch == nil && only.bestFitness == nil)
    let state = try file("good_state_dict_model")
    #expect(state.epoch == 3 && state.taskClass == nil && state.names == nil && state.modelYAML == nil && state.modelDescription == nil)
    #expect(try file("good_bare_module").strides == [8, 16])
    #expect(try file("good_views").skipped == ["complex"])
  }

  @Test func describesTheModelAsJSON() throws {
    let expected =
      #"{"nc":2,"depth_multiple":0.33,"width_multiple":0.25,"anchors":[[10,13,16,30],[30,61,62,45]],"#
      + #""backbone":[[-1,1,"Conv",[64,6,2,2]],[-1,3,"C3",[128,false]]],"head":[[[0,1],1,"Detect",["nc","anchors"]]],"#
      + #""ch":3,"note":"a \"quoted\"\u000aé"}"#
    #expect(try file("good_module").modelDescription == expected)
  }
}
