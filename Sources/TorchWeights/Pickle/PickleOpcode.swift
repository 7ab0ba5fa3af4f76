// The opcodes of pickle protocols 2 to 5 that torch.save emits (CPython's pickletools describes them all). What is not here, such as
// the text opcodes of protocol 0 and the extension registry, is refused.

enum PickleOpcode: UInt8 {
  // The frame of the program.
  case proto = 0x80
  case frame = 0x95
  case stop = 0x2e

  // Values.
  case none = 0x4e
  case newTrue = 0x88
  case newFalse = 0x89
  case binInt = 0x4a
  case binInt1 = 0x4b
  case binInt2 = 0x4d
  case long1 = 0x8a
  case long4 = 0x8b
  case binFloat = 0x47
  case binUnicode = 0x58
  case shortBinUnicode = 0x8c
  case binUnicode8 = 0x8d
  case binBytes = 0x42
  case shortBinBytes = 0x43
  case binBytes8 = 0x8e

  // Containers.
  case emptyTuple = 0x29
  case tuple = 0x74
  case tuple1 = 0x85
  case tuple2 = 0x86
  case tuple3 = 0x87
  case emptyList = 0x5d
  case append = 0x61
  case appends = 0x65
  case emptyDictionary = 0x7d
  case setItem = 0x73
  case setItems = 0x75
  case emptySet = 0x8f
  case addItems = 0x90
  case frozenSet = 0x91

  // Stack and memo.
  case mark = 0x28
  case pop = 0x30
  case popMark = 0x31
  case duplicate = 0x32
  case binPut = 0x71
  case longBinPut = 0x72
  case memoize = 0x94
  case binGet = 0x68
  case longBinGet = 0x6a

  // Classes, functions, objects.
  case global = 0x63
  case stackGlobal = 0x93
  case reduce = 0x52
  case newObject = 0x81
  case newObjectWithKeywords = 0x92
  case build = 0x62
  case binPersistentID = 0x51
}
