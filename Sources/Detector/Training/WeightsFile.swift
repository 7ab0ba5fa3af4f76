// Weights files as commands open and write them: every fault carries the path and a hint.

import Safetensors

/// A weights file that was read.
public struct WeightsFile: Sendable {
  public let path: String
  public let bytes: [UInt8]
  public let file: SafetensorsFile

  /// - Throws: `TrainingError` where the file is absent, cut or malformed.
  public static func read(_ path: String) throws(TrainingError) -> WeightsFile {
    do {
      let bytes = try FileBytes.read(path: path, bytesMax: SafetensorsFile.fileBytesMax)
      return WeightsFile(path: path, bytes: bytes, file: try SafetensorsFile(parsing: bytes))
    } catch {
      let isAbsent = error.code == .inputOutput
      let reason = error.reason.contains(path) ? error.reason : "\(path): \(error.reason)"
      throw TrainingError(
        isAbsent ? .inputOutput : .unsuitableWeights, reason,
        hint: isAbsent ? "check the path" : "fetch the file again; a safetensors file must be whole")
    }
  }

  /// The detector that the file holds.
  /// - Throws: `TrainingError` where it is not exactly one YOLOv5 detector with finite values.
  public static func network(_ weights: WeightsFile, threads: Int) throws(TrainingError) -> Network {
    do throws(NetworkError) {
      let network = try Network(weights: weights.file, threads: threads)
      guard network.spec.task == .detect else {
        throw NetworkError(.unknownModel, "a model to \(network.spec.task.rawValue), and only detectors are trained and measured so far")
      }
      return network
    } catch {
      throw TrainingError(
        .unsuitableWeights, "\(weights.path): \(error.reason)",
        hint: "give weights of a YOLOv5 detector (yolov5n to yolov5x) as safetensors")
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
  public static func write(_ writer: SafetensorsWriter, path: String) throws(TrainingError) {
    do { try writer.write(path: path) } catch {
      throw TrainingError(.inputOutput, error.reason, hint: "check the folder, its permissions, and free space")
    }
  }
}
