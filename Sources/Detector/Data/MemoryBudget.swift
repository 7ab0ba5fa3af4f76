// How much memory a cache of images may take: of what is free now, so that a cache never drives a machine into swapping.

import Foundation

enum MemoryBudget {
  /// Share of the free memory that a cache may take.
  private static let share = 0.8

  /// Bytes for a cache that begins to fill now.
  static var cacheBytes: Int { Int(Double(freeBytes) * share) }

  /// What the system could give, or the process's control group where it has less left.
  private static var freeBytes: Int {
    let meminfo = text("/proc/meminfo").flatMap { Self.available($0) }
    let system = meminfo ?? Int(clamping: ProcessInfo.processInfo.physicalMemory / 2)
    guard let limit = number("/sys/fs/cgroup/memory.max"), let used = number("/sys/fs/cgroup/memory.current") else { return system }
    return max(0, min(system, limit - used))
  }

  /// `MemAvailable` of `/proc/meminfo` in bytes.
  static func available(_ meminfo: String) -> Int? {
    let line = meminfo.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
    guard let words = line?.split(separator: " "), words.count == 3, words[2] == "kB", let count = Int(words[1]) else { return nil }
    return count > Int.max / 1024 ? nil : count * 1024
  }

  private static func text(_ path: String) -> String? {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
  }

  private static func number(_ path: String) -> Int? { text(path).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) } }
}
