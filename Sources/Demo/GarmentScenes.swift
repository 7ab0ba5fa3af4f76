// The demo's data: for each site a YOLO data set of garment scenes in that site's look and class mix, and one data.yaml for all of them
// pooled. Training scenes are made from the training half of Fashion-MNIST, validation scenes from its test half with equal class mix.
import Detector
import Foundation

/// One site's data as the demo uses it, whether made here or given with `--data`.
struct SiteData: Sendable {
  var name: String
  /// Path of its data.yaml.
  var yaml: String
  var trainingImages: Int
  /// Size of its training images as files.
  var trainingBytes: Int
}

enum GarmentScenes {
  static let fashionFolder = "/usr/share/datasets/fashion-mnist"

  /// Garments of the training half that public scenes are made of, where there are any; sites then have none of them.
  private static let publicGarments = 50_000..<60_000

  /// Writes `site-1` … below `folder`. Everything follows from `seed`.
  /// - Parameter leavesPublic: leave out the garments of public scenes.
  static func write(
    to folder: String, sites: Int, training: ClosedRange<Int>, validation: Int, seed: UInt64, leavesPublic: Bool = false
  ) throws -> [SiteData] {
    var trainingHalf = try FashionImages.load("train", folder: fashionFolder)
    if leavesPublic { trainingHalf = trainingHalf.part(0..<publicGarments.lowerBound) }
    let testHalf = try FashionImages.load("t10k", folder: fashionFolder)
    var random = SampleRandom(seed: seed, stream: 2)
    let counts = (0..<sites).map { _ in training.lowerBound + random.integer(below: training.count) }
    var made: [SiteData] = []
    for site in 0..<sites {
      let look = SiteLook(site: site, seed: seed)
      let base = "\(folder)/site-\(site + 1)"
      var stream = SampleRandom(seed: seed, stream: 3, UInt64(site))
      let bytes = try writeSplit(base + "/train", counts[site], trainingHalf, look, look.classMix, &stream)
      let even = [Double](repeating: 1, count: GarmentClass.names.count)
      var other = SampleRandom(seed: seed, stream: 4, UInt64(site))
      _ = try writeSplit(base + "/val", validation, testHalf, look, even, &other)
      try yaml(train: ["train/images"], val: ["val/images"]).write(toFile: base + "/data.yaml", atomically: true, encoding: .utf8)
      made.append(SiteData(name: "site \(site + 1)", yaml: base + "/data.yaml", trainingImages: counts[site], trainingBytes: bytes))
    }
    return made
  }

  /// Writes the public scenes `public` below `folder`: other garments than any site's, in a look of their own, all classes alike.
  static func writePublic(to folder: String, scenes: Int, seed: UInt64) throws {
    let half = try FashionImages.load("train", folder: fashionFolder).part(publicGarments)
    let (base, even) = (folder + "/public", [Double](repeating: 1, count: GarmentClass.names.count))
    let look = SiteLook(site: 1000, seed: seed)
    for (index, part) in [("train", scenes), ("val", max(scenes / 8, 1))].enumerated() {
      var random = SampleRandom(seed: seed, stream: 5, UInt64(index))
      _ = try writeSplit("\(base)/\(part.0)", part.1, half, look, even, &random)
    }
    try yaml(train: ["train/images"], val: ["val/images"]).write(toFile: base + "/data.yaml", atomically: true, encoding: .utf8)
  }

  /// A data.yaml for these folders, relative to the file.
  static func yaml(train: [String], val: [String], names: [String] = GarmentClass.names) -> String {
    func list(_ paths: [String]) -> String { "[" + paths.joined(separator: ", ") + "]" }
    let map = names.enumerated().map { "\($0.offset): \($0.element)" }.joined(separator: ", ")
    return "path: .\ntrain: \(list(train))\nval: \(list(val))\nnc: \(names.count)\nnames: {\(map)}\n"
  }

  private static func writeSplit(
    _ folder: String, _ count: Int, _ images: FashionImages, _ look: SiteLook, _ mix: [Double], _ random: inout SampleRandom
  ) throws -> Int {
    let files = FileManager.default
    try files.createDirectory(atPath: folder + "/images", withIntermediateDirectories: true)
    try files.createDirectory(atPath: folder + "/labels", withIntermediateDirectories: true)
    var byClass = [[Int]](repeating: [], count: GarmentClass.names.count)
    for (index, label) in images.labels.enumerated() { byClass[GarmentClass.ofLabel[Int(label)]].append(index) }
    var bytes = 0
    for number in 0..<count {
      let scene = GarmentScene(images: images, byClass: byClass, look: look, mix: mix, random: &random)
      let name = String(format: "scene-%04d", number)
      let png = try PNGWriter.encode(RGBImage(width: GarmentScene.side, height: GarmentScene.side, pixels: scene.pixels))
      try Data(png).write(to: URL(fileURLWithPath: "\(folder)/images/\(name).png"))
      try labels(scene).write(toFile: "\(folder)/labels/\(name).txt", atomically: false, encoding: .utf8)
      bytes += png.count
    }
    return bytes
  }

  /// YOLO rows: class, centre x, centre y, width, height, each a fraction of the image.
  private static func labels(_ scene: GarmentScene) -> String {
    let side = Double(GarmentScene.side)
    return scene.boxes.map { box in
      let (x0, x1) = (Double(box.columns.lowerBound), Double(box.columns.upperBound + 1))
      let (y0, y1) = (Double(box.rows.lowerBound), Double(box.rows.upperBound + 1))
      return String(
        format: "%d %.6f %.6f %.6f %.6f\n", box.classIndex, (x0 + x1) / 2 / side, (y0 + y1) / 2 / side, (x1 - x0) / side, (y1 - y0) / side)
    }.joined()
  }
}
