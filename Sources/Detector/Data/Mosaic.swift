// The mosaic (Bochkovskiy et al. 2020): four images of the data set meet at a random point.

extension Augmentation {
  /// Four images around a random centre of a canvas twice as large: `index` and three others, drawn from `partners` or from all.
  func mosaic(_ index: Int, _ partners: [Int]?, _ random: inout SampleRandom) throws(DataError) -> Placed {
    let canvas = 2 * side
    let centreY = Int(random.uniform(Double(side) / 2, Double(side) * 1.5))
    let centreX = Int(random.uniform(Double(side) / 2, Double(side) * 1.5))
    var others: [Int] = []
    for _ in 0..<3 {
      others.append(partners.map { $0[random.integer(below: $0.count)] } ?? random.integer(below: store.dataset.count))
    }
    var four = [index] + others
    four.shuffle(using: &random)
    var placed = Placed(image: RGBImage(width: canvas, height: canvas, grey: RGBImage.padding))
    for (corner, member) in four.enumerated() {
      let image = try store.image(member)
      let x = corner % 2 == 0 ? centreX - image.width : centreX
      let y = corner < 2 ? centreY - image.height : centreY
      placed.image.paste(image, x: x, y: y)
      placed.add(store.dataset.labels[member], x: Float(x), y: Float(y), width: Float(image.width), height: Float(image.height))
    }
    let limit = Float(canvas)
    placed.boxes = placed.boxes.map {
      Placed.Box(
        classIndex: $0.classIndex, left: min(max($0.left, 0), limit), top: min(max($0.top, 0), limit),
        right: min(max($0.right, 0), limit), bottom: min(max($0.bottom, 0), limit))
    }
    return placed
  }
}
