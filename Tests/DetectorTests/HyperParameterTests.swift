// Hyper-parameter files come from outside: YOLOv5's own are read as they are, and every fault is named with its place.

import Foundation
import TestSupport
import Testing

@testable import Detector

@Suite struct HyperParameterTests {
  private func parse(_ text: String) throws -> HyperParameters { try HyperParameters(parsing: text, path: "hyp.yaml") }

  /// The values that v7.0 ships for Pascal VOC, with its comments and its count of anchors that is no whole number.
  static let voc = """
    # YOLOv5 hyper-parameters
    lr0: 0.00334
    lrf: 0.15135
    momentum: 0.74832
    weight_decay: 0.00025
    warmup_epochs: 3.3835
    warmup_momentum: 0.59462
    warmup_bias_lr: 0.18657
    box: 0.02
    cls: 0.21638
    cls_pw: 0.5
    obj: 0.51728
    obj_pw: 0.67198
    iou_t: 0.2
    anchor_t: 3.3744
    fl_gamma: 0.0  # focal loss
    hsv_h: 0.01041
    hsv_s: 0.54703
    hsv_v: 0.27739
    degrees: 0.0
    translate: 0.04591
    scale: 0.75544
    shear: 0.0
    perspective: 0.0
    flipud: 0.0
    fliplr: 0.5
    mosaic: 0.85834
    mixup: 0.04266
    copy_paste: 0.0
    anchors: 3.412

    """

  @Test func aFileOfYOLOv5IsReadAsItIs() throws {
    let hyper = try parse(Self.voc)
    #expect((hyper.learningRate, hyper.finalRateFraction, hyper.warmupBiasRate) == (0.00334, 0.15135, 0.18657))
    #expect((hyper.boxGain, hyper.classGain, hyper.objectnessGain) == (0.02, 0.21638, 0.51728))
    #expect((hyper.classPositiveWeight, hyper.objectnessPositiveWeight, hyper.anchorRatioMax) == (0.5, 0.67198, 3.3744))
    #expect((hyper.mosaic, hyper.mixup, hyper.scale, hyper.flipLeftRight) == (0.85834, 0.04266, 0.75544, 0.5))
    #expect(hyper.anchors == 3)
    #expect(throws: Never.self) { try hyper.validate() }
    let augmentation = AugmentationSettings(hyper)
    #expect((augmentation.mixup, augmentation.translate, augmentation.flip) == (0.04266, 0.04591, 0.5))
  }

  @Test(arguments: ["", "# nothing\n", "lr0: 0.01\n", "lr0: 1E-2\n"]) func keysLeftOutKeepTheirDefaults(text: String) throws {
    #expect(try parse(text) == HyperParameters())
  }

  @Test func theDefaultsTrainAsBefore() {
    #expect(AugmentationSettings(HyperParameters()) == AugmentationSettings())
    #expect(LossGains(HyperParameters(), classes: 3, imageSize: 128) == .standard(classes: 3, imageSize: 128))
    #expect(LossTerms(HyperParameters()) == LossTerms())
  }

  static let faults: [(text: String, place: String, word: String)] = [
    ("lr0: 0.1\nlr1: 0.1\n", "hyp.yaml:2:1: ", "unknown key 'lr1'"),
    ("lr0: 0\n", "hyp.yaml:1:6: ", "above 0"),
    ("lr0: -1\n", "hyp.yaml:1:6: ", "above 0"),
    ("\nmomentum: 1.0\n", "hyp.yaml:2:11: ", "below 1"),
    ("mosaic: 1.5\n", "hyp.yaml:1:9: ", "from 0 to 1"),
    ("perspective: 0.1\n", "hyp.yaml:1:14: ", "perspective"),
    ("scale: 1\n", "hyp.yaml:1:8: ", "below 1"),
    ("anchor_t: 1\n", "hyp.yaml:1:11: ", "above 1"),
    ("lr0: fast\n", "hyp.yaml:1:6: ", "must be a number"),
    ("lr0: true\n", "hyp.yaml:1:6: ", "must be a number"),
    ("lr0: nan\n", "hyp.yaml:1:6: ", "must be a number"),
    ("lr0: .inf\n", "hyp.yaml:1:6: ", "must be a number"),
    ("lr0:\n", "hyp.yaml:1:", "must be a number"),
    ("lr0: [0.1]\n", "hyp.yaml:1:6: ", "must be a number"),
    ("box: 0.05\n lr0: 0.1\n", "hyp.yaml:2:", "YAML"),
    ("lr0: [0.1\n", "hyp.yaml:", "YAML"),
    ("lr0: 0.1\nbox: 1\nlr0: 0.2\n", "hyp.yaml", "lr0"),
    ("- lr0\n", "hyp.yaml:1:1: ", "mapping"),
    ("0.1\n", "hyp.yaml:1:1: ", "mapping"),
    ("anchors: -1\n", "hyp.yaml:1:10: ", "anchors"),
    ("anchors: 1e300\n", "hyp.yaml:1:10: ", "anchors"),
    ("copy_paste: 0.1\n", "hyp.yaml:1:13: ", "polygons"),
    ("label_smoothing: 1\n", "hyp.yaml:1:18: ", "below 1"),
  ]

  @Test(arguments: faults.indices) func everyFaultNamesItsPlace(index: Int) {
    let fault = Self.faults[index]
    let error = #expect(throws: TrainingError.self) { try parse(fault.text) }
    #expect(error?.code == .badHyperParameters)
    #expect(error?.reason.hasPrefix(fault.place) == true, "\(error?.reason ?? "")")
    #expect(error?.reason.contains(fault.word) == true, "\(error?.reason ?? "")")
    #expect(error?.hint.isEmpty == false)
  }

  @Test func segmentationMayCopyByPolygon() throws {
    #expect(try HyperParameters(parsing: "copy_paste: 0.1\n", path: "h", task: .segment).copyPaste == 0.1)
  }

  @Test func whatIsWrittenIsReadAgain() throws {
    var hyper = try parse(Self.voc)
    hyper.weightDecay = 5e-5
    hyper.perspective = 1e-5
    #expect(try parse(hyper.yaml) == hyper)
    #expect(hyper.yaml.contains("weight_decay: 5.0e-05\n"))
    #expect(try parse(HyperParameters().yaml) == HyperParameters())
  }

  @Test(arguments: ["/nowhere/hyp.yaml", "/"]) func anAbsentFileIsNamed(path: String) {
    let error = #expect(throws: TrainingError.self) { try HyperParameters(yaml: path) }
    #expect(error?.code == .badHyperParameters && error?.reason.hasPrefix(path) == true)
  }

  @Test func aFileThatIsNoTextIsRefused() throws {
    try withTemporaryFolder { folder in
      try Data([0xff, 0xfe, 0x00]).write(to: URL(fileURLWithPath: "\(folder)/hyp.yaml"))
      #expect(throws: TrainingError.self) { try HyperParameters(yaml: "\(folder)/hyp.yaml") }
    }
  }

  @Test func wrongNumbersFromElsewhereAreRefusedToo() {
    let changes: [(inout HyperParameters) -> Void] = [
      { $0.learningRate = .nan }, { $0.focalGamma = -1 }, { $0.degrees = 181 }, { $0.copyPaste = 0.1 }, { $0.anchors = 0 },
      { $0.classPositiveWeight = 0 }, { $0.labelSmoothing = 1 },
    ]
    for change in changes {
      var hyper = HyperParameters()
      change(&hyper)
      #expect(throws: TrainingError.self) { try hyper.validate() }
    }
  }
}
