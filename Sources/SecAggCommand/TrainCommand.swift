// `secagg train`: trains a detector on one data set, with YOLOv5's flag names, run folders and results.csv.
// The weights that are validated and saved are the running average, as in YOLOv5.

import ArgumentParser
import CommandLineKit
import Detector
import Foundation

/// Image and batch size, spelt as in YOLOv5.
struct InputArguments: ParsableArguments {
  @Option(
    name: [.customLong("img"), .customLong("imgsz"), .customLong("img-size")],
    help: "Long side of the network's input in pixels, a multiple of 32.")
  var imageSize = 640

  @Option(help: "Images in a batch.")
  var batchSize = 16

  @Option(help: "Threads of the network; those that load come on top.")
  var threads = min(max(ProcessInfo.processInfo.activeProcessorCount, 1), 16)

  @Flag(help: "Print results as JSON on standard output.")
  var json = false
}

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a detector on the images of a data.yaml.",
    discussion: """
      Start from --weights, or from fresh weights of --cfg. Results go to PROJECT/NAME: weights/last.safetensors, \
      weights/best.safetensors, results.csv, opt.yaml and hyp.yaml. A run that broke goes on with --resume, and ends \
      with the same weights as if it had not.
      """)

  @Option(help: "Path of data.yaml.") var data: String?
  @OptionGroup var model: ModelArguments
  @OptionGroup var input: InputArguments
  @OptionGroup var hyper: HyperArguments
  @OptionGroup var selection: ImageArguments
  @OptionGroup var schedule: ScheduleArguments
  @OptionGroup(title: "Privacy for single images") var privacy: PrivacyArguments
  @OptionGroup var output: RunArguments
  @Argument(help: "After --resume the run to go on with (its folder or a file in it), after --cache the word ram.")
  var words: [String] = []

  func validate() throws {
    var rest = words
    if selection.cache {
      guard !rest.contains("disk") else { throw ValidationError("images are cached in memory only: --cache ram") }
      rest.removeAll { $0 == "ram" }
    }
    guard rest.count <= (output.resume ? 1 : 0) else { throw ValidationError("unexpected argument '\(rest[rest.count - 1])'") }
    guard !output.resume else { return }
    guard data != nil else { throw ValidationError("give --data FILE, or --resume") }
    guard model.weightsPath != nil || model.cfg != nil else { throw ValidationError("give --weights FILE or --cfg yolov5n") }
  }

  private var settings: TrainingSettings {
    get throws {
      var settings = TrainingSettings(data: data ?? "")
      settings.options.hyper = try hyper.values
      settings.options.imageSize = input.imageSize
      settings.options.batchSize = input.batchSize
      settings.options.threads = input.threads
      settings.hyp = hyper.hyp ?? ""
      (settings.weights, settings.cfg) = (model.weights ?? "", model.cfg ?? "")
      settings.options.frozenLayers = model.frozenLayers
      settings.options.norm = model.norm
      settings.fitsAnchors = !model.noAutoAnchor
      selection.apply(to: &settings)
      schedule.apply(to: &settings)
      output.apply(to: &settings)
      try privacy.apply(to: &settings, ownHyper: hyper.hyp != nil)
      return settings
    }
  }

  func run() throws {
    let console = TrainConsole(isJSON: input.json)
    let session = try output.resume ? resumed(console) : fresh(console)
    console.begin(session)
    if !session.settings.skipsPlots { try RunPictures(folder: session.folder.path, names: session.classNames).writeBatch(of: session) }
    let best = try session.train()
    if !session.settings.skipsPlots { try figures(session, best) }
    console.end(session, best: best)
  }

  private func figures(_ session: TrainingSession, _ best: Validation.Outcome) throws {
    let figures = RunFigures(folder: session.folder.path, names: session.classNames)
    try figures.write(labels: session.labels)
    try figures.write(best.curves)
    try figures.write(best.confusion)
    try figures.writeResults()
  }

  private func fresh(_ console: TrainConsole) throws -> TrainingSession {
    let settings = try settings
    if settings.options.isRectangular, settings.options.isImageWeighted {
      Output.note("note: --image-weights draws images of any shape, so --rect has no effect")
    }
    return try TrainingSession(
      settings, observer: console.observer,
      folder: { try RunFolder(project: output.project, name: output.name, isReusing: output.existOk) },
      network: { try model.network(classes: $0, seed: schedule.seed, threads: input.threads) })
  }

  private func resumed(_ console: TrainConsole) throws -> TrainingSession {
    let given = words.first { $0 != "ram" || !selection.cache }
    let state = try given.map { try RunFolder.state(of: $0) } ?? RunFolder.newestState(in: output.project)
    let session = try TrainingSession(resuming: state, observer: console.observer)
    Output.note("resume   \(session.folder.path) after epoch \(session.epochsDone), with the options that it began with")
    return session
  }
}

/// The model of a `--cfg` flag: a name, or the path of a model yaml. YOLOv5 also writes names with the ending.
func modelSpec(_ name: String, classes: Int, norm: NormKind = .batch) throws -> ModelSpec {
  let stem = name.hasSuffix(".yaml") ? String(name.dropLast(5)) : name
  var spec: ModelSpec
  if FileManager.default.fileExists(atPath: name) {
    spec = try ModelDescription.read(path: name, classes: classes)
  } else if let known = ModelSpec.named(stem, classes: classes) {
    spec = known
  } else {
    throw CommandError(
      code: "CL-03", what: "--cfg \(name) is no model that this program knows, and no file",
      hint: "use yolov5n, yolov5s, yolov5m, yolov5l or yolov5x, or the path of a model yaml", exit: .usage)
  }
  spec.norm = norm
  return spec
}
