// Reading a YOLOv5 v7.0 checkpoint (`.pt`): a zip archive with a pickle of the whole model and its numbers beside it. Nothing in the
// file is executed: a pickle machine with an allow-list notes what PyTorch would build, and the tensors are found in those notes.

import Safetensors

/// The weights of a checkpoint and what it says about them. Tensors have PyTorch's `state_dict` names and order.
public struct TorchFile: Sendable {
  /// Which of a checkpoint's weights are meant.
  public enum Weights: Sendable {
    /// The averaged ones if there are any, otherwise the model's own, as YOLOv5 itself chooses.
    case best
    case model
    case ema
  }

  /// One tensor, row-major.
  public struct Entry: Sendable {
    public let name: String
    public let dtype: ElementType
    public let shape: [Int]
    /// Little-endian; a slice of the file where the file has the elements in order.
    public let data: ArraySlice<UInt8>
  }

  /// Largest file `read` accepts unless told otherwise, bytes.
  public static let fileBytesMax = 2 << 30

  public let entries: [Entry]
  /// Tensors that were left out because safetensors has no such type (complex numbers).
  public let skipped: [String]
  /// The model's class, such as "models.yolo.DetectionModel"; nil for a state dict.
  public let taskClass: String?
  /// Class names in their order.
  public let names: [String]?
  /// The model's description as in YOLOv5's yaml: nc, depth_multiple, width_multiple, anchors, backbone, head.
  public let modelYAML: TorchValue?
  /// Pixels per cell of each level.
  public let strides: [Float]?
  /// Epoch of the last training step, from 0; nil in a checkpoint that YOLOv5 finished.
  public let epoch: Int?
  /// ISO 8601, as YOLOv5 wrote it, without time zone.
  public let date: String?
  public let bestFitness: Double?
  /// Options of the training run, as given to YOLOv5's train.py.
  public let trainingOptions: TorchValue?

  /// Parses a whole file.
  /// - Throws: `TorchWeightsError` with the rule that the file breaks.
  public init(parsing bytes: [UInt8], weights: Weights = .best) throws(TorchWeightsError) {
    let archive = try Self.archive(bytes)
    let folder = try Self.folder(archive)
    if archive.contains(folder + "byteorder") {
      guard try archive.contents(folder + "byteorder").elementsEqual("little".utf8) else {
        throw TorchWeightsError(.bigEndian, "the checkpoint was not written in little-endian byte order")
      }
    }
    let checkpoint = try Checkpoint(PickleMachine.run(Array(archive.contents(folder + "data.pkl"))), weights)
    let reader = checkpoint.reader
    var tree = ModuleTree(reader)
    guard try tree.add(checkpoint.model), !tree.tensors.isEmpty else {
      throw TorchWeightsError(.malformedCheckpoint, "the checkpoint holds no model and no state dict with tensors")
    }
    var source = TensorSource(archive, folder: folder)
    var (entries, skipped): ([Entry], [String]) = ([], [])
    for (name, tensor) in tree.tensors {
      guard let type = tensor.kind.type else {
        skipped.append(name)
        continue
      }
      do { entries.append(Entry(name: name, dtype: type, shape: tensor.shape, data: try source.data(tensor))) } catch {
        throw TorchWeightsError(error.code, "\(name): \(error.reason)")
      }
    }
    (self.entries, self.skipped) = (entries, skipped)
    taskClass = checkpoint.className
    if let names = try checkpoint.attribute("names") { self.names = try reader.classNames(names) } else { names = nil }
    if let yaml = try checkpoint.attribute("yaml") { modelYAML = try TorchValue(reader, yaml) } else { modelYAML = nil }
    if let stride = try checkpoint.attribute("stride"), let tensor = try TorchTensor(reader, stride) {
      strides = try Self.floats(tensor, &source)
    } else {
      strides = nil
    }
    let (epoch, date, fitness) = try (checkpoint.entry("epoch"), checkpoint.entry("date"), checkpoint.entry("best_fitness"))
    self.epoch = epoch.flatMap { reader.int($0) }.flatMap { $0 >= 0 ? $0 : nil }
    if let date { self.date = try reader.date(date) } else { self.date = nil }
    if let fitness { bestFitness = try reader.double(fitness) } else { bestFitness = nil }
    if let options = try checkpoint.entry("opt"), !reader.isNone(options) {
      trainingOptions = try TorchValue(reader, options)
    } else {
      trainingOptions = nil
    }
  }

  /// Reads and parses the file at `path`.
  public static func read(
    path: String, bytesMax: Int = fileBytesMax, weights: Weights = .best
  ) throws(TorchWeightsError) -> TorchFile {
    let bytes: [UInt8]
    do { bytes = try FileBytes.read(path: path, bytesMax: bytesMax) } catch {
      throw TorchWeightsError(error.code == .tooLarge ? .tooLarge : .inputOutput, error.reason)
    }
    return try TorchFile(parsing: bytes, weights: weights)
  }

  /// A short list of numbers; nil for anything else.
  private static func floats(_ tensor: TorchTensor, _ source: inout TensorSource) throws(TorchWeightsError) -> [Float]? {
    guard let type = tensor.kind.type, type.isFloating, tensor.shape.count == 1, (1...16).contains(tensor.count) else { return nil }
    var writer = SafetensorsWriter()
    writer.add("values", shape: tensor.shape, type: type, data: try source.data(tensor))
    return try? SafetensorsFile(parsing: writer.serialise()).floats("values")
  }
}
