// What a check of a data set can find: each kind with its name for scripts, its title for people, whether it is a fault or only worth
// knowing, and how to repair it. Invariant: a fault is what training refuses, what it would learn wrongly from, or what makes its
// figures wrong; everything else is a note.

/// One finding, at its place.
public struct DataFault: Equatable, Sendable {
  public enum Severity: String, Sendable { case fault, note }

  public let kind: Kind
  /// The file to look at.
  public let file: String
  /// Line in a text file, from 1.
  public let line: Int?
  /// Column in a text file, from 1; only where the line is known.
  public let column: Int?
  /// What is wrong, without the place.
  public let detail: String

  public var severity: Severity { kind.severity }

  init(_ kind: Kind, _ file: String, line: Int? = nil, column: Int? = nil, _ detail: String) {
    (self.kind, self.file, self.line, self.column, self.detail) = (kind, file, line, column, detail)
  }

  /// Kinds in the order in which they are shown: what hides other findings stands first.
  public enum Kind: String, CaseIterable, Sendable {
    case description = "data-yaml"
    case sameClassName = "same-class-name"
    case missingPath = "missing-path"
    case linkedFolder = "linked-folder"
    case noImages = "no-images"
    case noLabels = "no-labels"
    case leak
    case imageKind = "image-kind"
    case brokenImage = "broken-image"
    case largeImage = "image-too-large"
    case smallImage = "image-too-small"
    case exif
    case unreadableLabels = "unreadable-labels"
    case malformedRow = "malformed-row"
    case classRange = "class-out-of-range"
    case coordinateRange = "coordinate-out-of-range"
    case emptyBox = "box-without-area"
    case duplicateRow = "duplicate-row"
    case orphanLabels = "label-without-image"
    case listedTwice = "listed-twice"
    case duplicateImage = "duplicate-image"
    case untrainedClass = "class-not-in-train"
    case unmeasuredClass = "class-not-in-val"
    case unusedClass = "class-without-label"
    case boxBeyondImage = "box-beyond-image"
    case sharedLabels = "shared-labels"
    case turnedImage = "turned-image"
    case nearDuplicate = "near-duplicate"
    case background = "image-without-label"
  }
}

extension DataFault.Kind {
  public var severity: DataFault.Severity {
    switch self {
    case .unmeasuredClass, .unusedClass, .boxBeyondImage, .sharedLabels, .turnedImage, .nearDuplicate, .background: .note
    default: .fault
    }
  }

  /// The kind as a heading.
  public var title: String { text.title }
  /// How to repair what is of this kind, or what to make of it.
  public var hint: String { text.hint }

  private var text: (title: String, hint: String) {
    switch self {
    case .description: ("data.yaml", "a data.yaml has path, train, val, nc and names, as in YOLOv5")
    case .sameClassName: ("classes with the same name", "rename one, or merge them in names and in all label files")
    case .missingPath: ("paths that are missing or cannot be read", "paths are relative to path:, and that to the file's folder")
    case .linkedFolder: ("links to folders, which are not followed", "name the folder that the link points to in data.yaml")
    case .noImages: ("splits without images", "check path: and the split's entry in data.yaml; JPEG and PNG are read")
    case .noLabels: ("splits without labels", "labels lie beside images: the last /images/ of a path becomes /labels/, the ending .txt")
    case .leak: ("images that are in two splits", "remove them from one: scores on images that were trained on mean nothing")
    case .imageKind:
      ("images of a kind that is not read", "convert them to JPEG or PNG, for example with ImageMagick's mogrify -format png")
    case .brokenImage: ("broken images", "fetch them again from their source, or remove them with their label files")
    case .largeImage: ("images that are too large", "shrink them, or cut them into tiles and their labels with them")
    case .smallImage: ("images of less than 10 pixels", "remove them: thumbnails and icons, most likely")
    case .exif: ("damaged EXIF orientation", "turn the pixels and drop the tag (exiftran -a, jhead -autorot), then look at the labels")
    case .unreadableLabels: ("label files that cannot be read", "a label file is a UTF-8 text with a row an object: class x y w h")
    case .malformedRow: ("malformed label rows", "a row is: class x y w h, or class x1 y1 x2 y2 x3 y3 … for a polygon")
    case .classRange: ("labels of an unknown class", "classes count from 0: is names: complete, or does the labelling tool count from 1?")
    case .coordinateRange: ("coordinates outside [0, 1]", "x y w h are fractions of the image; divide pixels by its width and height")
    case .emptyBox: ("boxes without area", "remove the row, or draw the box again")
    case .duplicateRow: ("label rows that stand twice", "remove all but one")
    case .orphanLabels: ("label files without an image", "restore the image, or remove the label file: it is never read")
    case .listedTwice: ("images that a split lists twice", "remove one of the entries")
    case .duplicateImage: ("images that are the same", "keep one of them: copies count more than they should")
    case .untrainedClass: ("classes that are scored and never trained", "move some of their images from val to train, or drop the class")
    case .unmeasuredClass: ("classes that are trained and not scored", "move some of their images to val, or their score stays unknown")
    case .unusedClass: ("classes without a label", "right where other sites of a federation have them; otherwise check names:")
    case .boxBeyondImage: ("boxes that reach beyond their image", "x and y are the centre of the box, not its corner")
    case .sharedLabels: ("images that share a label file", "rename one of them: a label file belongs to all images of its name")
    case .turnedImage: ("photographs that EXIF turns", "right if the labels were drawn on the turned image, as most tools show it")
    case .nearDuplicate: ("images that look the same", "look at them: copies should not be spread over train and val")
    case .background: ("images without a label file", "right if they show nothing to find; an empty label file says so")
    }
  }
}
