// What kind of file it is, before anything of it is believed: the first bytes, the archive's folder.

extension TorchFile {
  private static let zipStart: [UInt8] = [0x50, 0x4b, 0x03, 0x04]
  /// How PyTorch before 1.6 begins a file: a pickle of protocol 2 with its magic number 0x1950a86a20f9469cfc6c.
  private static let legacyStart: [UInt8] = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]

  /// True if the file begins as PyTorch begins one, in today's or the old format; safetensors never does.
  public static func isCheckpoint(_ bytes: [UInt8]) -> Bool { bytes.starts(with: zipStart) || bytes.starts(with: legacyStart) }

  static func archive(_ bytes: [UInt8]) throws(TorchWeightsError) -> ZipArchive {
    guard !bytes.starts(with: legacyStart) else {
      throw TorchWeightsError(
        .legacyFormat, "a file of PyTorch's format before 1.6: load it and save it again with torch.save of PyTorch 1.6 or later")
    }
    guard bytes.starts(with: zipStart) else {
      throw TorchWeightsError(.notACheckpoint, "the file does not begin as a PyTorch checkpoint does")
    }
    return try ZipArchive(bytes)
  }

  /// The top folder, whose name is the file's name when it was saved, with its slash.
  static func folder(_ archive: ZipArchive) throws(TorchWeightsError) -> String {
    let suffix = "data.pkl"
    var folders: [String] = []
    for entry in archive.entries where entry.name.hasSuffix("/" + suffix) {
      let folder = String(entry.name.dropLast(suffix.count))
      if folder.count > 1, folder.firstIndex(of: "/") == folder.lastIndex(of: "/") { folders.append(folder) }
    }
    guard folders.count == 1 else {
      throw TorchWeightsError(.notACheckpoint, "the archive has \(folders.count) entries FOLDER/data.pkl; a checkpoint has one")
    }
    guard !archive.contains(folders[0] + "constants.pkl") else {
      throw TorchWeightsError(.notACheckpoint, "a TorchScript program, not a checkpoint: give the .pt file that training wrote")
    }
    return folders[0]
  }
}
