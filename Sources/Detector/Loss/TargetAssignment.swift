// Which cells and anchors of one detection level answer for which labelled boxes (YOLOv5's rule: shape ratio below 4,
// the box's own cell and up to two neighbours). Invariant: the order offset, anchor, target is kept, because the last
// match of a cell decides its objectness target.

/// One (cell, anchor) pair that is responsible for one labelled box.
public struct Match: Equatable, Sendable {
  public var image: Int
  public var anchor: Int
  public var cellX: Int
  public var cellY: Int
  public var classIndex: Int
  /// Centre relative to the cell's corner, and size, in grid units.
  public var x: Float
  public var y: Float
  public var w: Float
  public var h: Float
  /// Number of the box among its image's boxes, from 1, in the order of the targets: what a mask plane calls it.
  public var object: Int
}

/// Assigns labelled boxes to the cells of one detection level.
public struct TargetAssignment: Sendable {
  /// Anchor width and height in grid units.
  public let anchors: [SIMD2<Float>]
  /// A box and an anchor match where neither side differs by this factor or more.
  public let shapeRatioMax: Float

  public init(anchors: [SIMD2<Float>], shapeRatioMax: Float = 4) {
    self.anchors = anchors
    self.shapeRatioMax = shapeRatioMax
  }

  /// A box in grid units that fits an anchor's shape.
  private struct Candidate {
    var target: Target
    var object: Int
    var anchor: Int
    var x: Float
    var y: Float
    var w: Float
    var h: Float
  }

  /// The neighbours that may share a box, in the order that counts; each moves the box's point by half a cell.
  private enum Neighbour: CaseIterable {
    case own, left, above, right, below

    var shift: (x: Float, y: Float) {
      switch self {
      case .own: (0, 0)
      case .left: (-0.5, 0)
      case .above: (0, -0.5)
      case .right: (0.5, 0)
      case .below: (0, 0.5)
      }
    }
  }

  /// The matches of `targets` on a grid of `width` × `height` cells, in the order offset, anchor, target.
  public func matches(targets: [Target], width: Int, height: Int) -> [Match] {
    precondition(width > 0 && height > 0, "a detection level has cells")
    let candidates = fitting(targets: targets, width: Float(width), height: Float(height))
    var result: [Match] = []
    result.reserveCapacity(candidates.count * 3)
    for neighbour in Neighbour.allCases {
      for candidate in candidates where takes(candidate, neighbour, width: Float(width), height: Float(height)) {
        let shift = neighbour.shift
        // Clamped before the offsets are taken, so that a box on the border still points at its own centre.
        let cellX = min(max(Int(candidate.x + shift.x), 0), width - 1)
        let cellY = min(max(Int(candidate.y + shift.y), 0), height - 1)
        result.append(
          Match(
            image: candidate.target.image, anchor: candidate.anchor, cellX: cellX, cellY: cellY,
            classIndex: candidate.target.classIndex,
            x: candidate.x - Float(cellX), y: candidate.y - Float(cellY), w: candidate.w, h: candidate.h,
            object: candidate.object))
      }
    }
    return result
  }

  private func fitting(targets: [Target], width: Float, height: Float) -> [Candidate] {
    var result: [Candidate] = []
    var boxes: [Int: Int] = [:]
    let objects = targets.map { target in
      boxes[target.image, default: 0] += 1
      return boxes[target.image, default: 0]
    }
    for (index, anchor) in anchors.enumerated() {
      for (target, object) in zip(targets, objects) {
        let w = target.w * width
        let h = target.h * height
        let ratioW = w / anchor.x
        let ratioH = h / anchor.y
        // A box without area has an infinite ratio and drops out here.
        guard max(max(ratioW, 1 / ratioW), max(ratioH, 1 / ratioH)) < shapeRatioMax else { continue }
        result.append(
          Candidate(target: target, object: object, anchor: index, x: target.x * width, y: target.y * height, w: w, h: h))
      }
    }
    return result
  }

  private func takes(_ box: Candidate, _ neighbour: Neighbour, width: Float, height: Float) -> Bool {
    func nearLowSide(_ position: Float) -> Bool { position - position.rounded(.down) < 0.5 && position > 1 }
    switch neighbour {
    case .own: return true
    case .left: return nearLowSide(box.x)
    case .above: return nearLowSide(box.y)
    case .right: return nearLowSide(width - box.x)
    case .below: return nearLowSide(height - box.y)
    }
  }
}
