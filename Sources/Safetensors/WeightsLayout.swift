// The flat vector that server and sites agree on. It holds every floating tensor of a weights file in file order except
// `*.anchors` (a constant); integer tensors (`num_batches_tracked`) stay out too. It has two sections, because they are
// quantised with different scales: *parameters* first, then *statistics* (running mean and variance).

/// Where each tensor of a weights file lies in the flat vector.
public struct WeightsLayout: Equatable, Sendable {
  public enum Section: String, Sendable { case parameters, statistics }

  public struct Slot: Equatable, Sendable {
    public let name: String
    public let shape: [Int]
    public let section: Section
    /// Position of the first coordinate inside the section.
    public let offset: Int
    public let count: Int
  }

  /// Slots in file order.
  public let slots: [Slot]
  public let parameterCount: Int
  public let statisticCount: Int

  /// The layout of `file`. Two files share a layout if names, shapes and order agree.
  public init(_ file: SafetensorsFile) {
    var slots: [Slot] = []
    var counts: [Section: Int] = [:]
    for entry in file.entries where entry.dtype.isFloating && !Self.isAnchors(entry.name) {
      let isStatistic = entry.name.hasSuffix(".running_mean") || entry.name.hasSuffix(".running_var")
      let section: Section = isStatistic ? .statistics : .parameters
      let offset = counts[section, default: 0]
      slots.append(Slot(name: entry.name, shape: entry.shape, section: section, offset: offset, count: entry.count))
      counts[section] = offset + entry.count
    }
    self.slots = slots
    parameterCount = counts[.parameters, default: 0]
    statisticCount = counts[.statistics, default: 0]
  }

  private static func isAnchors(_ name: String) -> Bool { name == "anchors" || name.hasSuffix(".anchors") }

  /// The file's values as the two sections.
  /// - Throws: `.unexpectedContents` if the file has another layout, `.notFinite` if a value is NaN or infinite.
  public func flatten(_ file: SafetensorsFile) throws(SafetensorsError) -> (parameters: [Float], statistics: [Float]) {
    guard WeightsLayout(file) == self else {
      throw SafetensorsError(.unexpectedContents, "names, shapes or order differ from the agreed weights")
    }
    var parameters: [Float] = []
    var statistics: [Float] = []
    parameters.reserveCapacity(parameterCount)
    statistics.reserveCapacity(statisticCount)
    for slot in slots {
      let values = try file.floats(slot.name)
      guard values.allSatisfyFinite else {
        throw SafetensorsError(.notFinite, "\"\(printable(slot.name))\" holds NaN or an infinity")
      }
      switch slot.section {
      case .parameters: parameters.append(contentsOf: values)
      case .statistics: statistics.append(contentsOf: values)
      }
    }
    return (parameters, statistics)
  }

  /// A file with `template`'s tensors in `template`'s order, the floating ones replaced by the sections' values as F32;
  /// anchors and integer tensors are copied from `template`.
  public func file(
    parameters: [Float], statistics: [Float], template: SafetensorsFile, metadata: [String: String] = [:]
  ) throws(SafetensorsError) -> SafetensorsWriter {
    guard WeightsLayout(template) == self, parameters.count == parameterCount, statistics.count == statisticCount else {
      throw SafetensorsError(.unexpectedContents, "sections or template disagree with the layout")
    }
    var writer = SafetensorsWriter(metadata: metadata)
    var next = slots.startIndex
    for entry in template.entries {
      guard next < slots.endIndex, slots[next].name == entry.name else {
        writer.add(entry)
        continue
      }
      let slot = slots[next]
      let source = slot.section == .parameters ? parameters : statistics
      writer.add(slot.name, shape: slot.shape, floats: Array(source[slot.offset..<(slot.offset + slot.count)]))
      next += 1
    }
    return writer
  }
}
