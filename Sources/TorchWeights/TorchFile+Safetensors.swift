// A checkpoint as a safetensors file: the same names, order, types and bytes, with the class names, epoch and date as metadata.

import Safetensors

extension TorchFile {
  /// The tensors as a safetensors file. Metadata: `names`, one a line; `epoch` and `date` where they are known.
  public func safetensors() -> SafetensorsWriter {
    var writer = SafetensorsWriter()
    if let names { writer.metadata["names"] = names.joined(separator: "\n") }
    if let epoch { writer.metadata["epoch"] = String(epoch) }
    if let date { writer.metadata["date"] = date }
    for entry in entries { writer.add(entry.name, shape: entry.shape, type: entry.dtype, data: entry.data) }
    return writer
  }

  /// `modelYAML` as one line of JSON, which is YAML too; nil if there is none or if it is no description of layers.
  public var modelDescription: String? {
    guard let modelYAML, modelYAML["backbone"] != nil else { return nil }
    return modelYAML.json
  }
}
