// Weights files as commands open and write them: every fault carries the path and a hint.

import Safetensors
import TorchWeights

/// A weights file that was read.
public struct WeightsFile: Sendable {
  public let path: String
  public let bytes: [UInt8]
  public let file: SafetensorsFile

  /// Reads safetensors, or a PyTorch checkpoint of YOLOv5 (its first bytes tell), which becomes safetensors in memory.
  /// - Throws: `TrainingError` where the file is absent, cut or malformed.
  public static func read(_ path: String) throws(TrainingError) -> WeightsFile {
    let bytes: [UInt8]
    do { bytes = try FileBytes.read(path: path, bytesMax: SafetensorsFile.fileBytesMax) } catch {
      throw TrainingError(.inputOutput, error.reason.contains(path) ? error.reason : "\(path): \(error.reason)", hint: "check the path")
    }
    do {
      let isCheckpoint = TorchFile.isCheckpoint(bytes)
      let file = try SafetensorsFile(parsing: isCheckpoint ? try converted(bytes) : bytes)
      return WeightsFile(path: path, bytes: bytes, file: file)
    } catch let error as TorchWeightsError {
      throw TrainingError(
        .unsuitableWeights, "\(path): \(error.reason)", hint: "give a checkpoint of YOLOv5 v7.0, or weights as safetensors")
    } catch {
      let reason = (error as? SafetensorsError)?.reason ?? "\(error)"
      throw TrainingError(
        .unsuitableWeights, "\(path): \(reason)", hint: "fetch the file again; a weights file must be whole (.pt of YOLOv5, or safetensors)"
      )
    }
  }

  private static func converted(_ bytes: [UInt8]) throws -> [UInt8] {
    let checkpoint = try TorchFile(parsing: bytes)
    var writer = checkpoint.safetensors()
    // A model of other layers than v7.0's is known by its own description alone.
    if let description = checkpoint.modelDescription { writer.metadata[ModelSpec.descriptionKey] = description }
    return writer.serialise()
  }

  /// Class names that the file carries, or class0, class1, … where it has none.
  public func classNames(count: Int) -> [String] {
    let names = file.metadata["names"].map { $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) } ?? []
    return names.count == count ? names : (0..<count).map { "class\($0)" }
  }

  /// The model that the file holds.
  /// - Parameter tasks: what the caller can use.
  /// - Throws: `TrainingError` where it is not exactly one YOLOv5 model with finite values.
  public static func network(_ weights: WeightsFile, threads: Int, tasks: Set<ModelTask> = [.detect]) throws(TrainingError) -> Network {
    do throws(NetworkError) {
      let network = try Network(weights: weights.file, threads: threads)
      guard tasks.contains(network.spec.task) else {
        throw NetworkError(.unknownModel, "a model to \(network.spec.task.rawValue), and only detectors are trained and measured so far")
      }
      return network
    } catch {
      throw TrainingError(
        .unsuitableWeights, "\(weights.path): \(error.reason)",
        hint: "give weights of a YOLOv5 detector (yolov5n to yolov5x, or a described one) as .pt or safetensors")
    }
  }

  /// - Throws: `TrainingError` if OpenBLAS computes wrongly here; broken kernels would train nonsense in silence.
  static func requireRightProducts() throws(TrainingError) {
    guard BLASSetup.productsAreRight() else {
      throw TrainingError(
        .wrongProducts, "OpenBLAS multiplies wrongly on this processor (\(BLASSetup.description))",
        hint: "set OPENBLAS_CORETYPE=Haswell and try again")
    }
  }

  /// Writes atomically.
  public static func write(_ bytes: [UInt8], path: String) throws(TrainingError) {
    do { try FileBytes.write(bytes, path: path) } catch {
      throw TrainingError(.inputOutput, error.reason, hint: "check the folder, its permissions, and free space")
    }
  }

  /// Writes atomically.
  public static func write(_ writer: SafetensorsWriter, path: String) throws(TrainingError) {
    do { try writer.write(path: path) } catch {
      throw TrainingError(.inputOutput, error.reason, hint: "check the folder, its permissions, and free space")
    }
  }
}

extension Network {
  /// - Throws: `TrainingError` if a square of `size` pixels is no input of this network.
  func requireSize(_ size: Int) throws(TrainingError) {
    guard TrainingOptions.imageSizeRange.contains(size), size.isMultiple(of: sizeMultiple) else {
      throw TrainingError(
        .badJob, "image size \(size) does not suit this model", hint: "use a multiple of \(sizeMultiple) from 32 to 4096")
    }
  }
}
