// The three products of a convolution, on OpenBLAS. All matrices are row-major: a pixel is a row, a channel a column.

import COpenBLAS

enum MatrixProduct {
  /// result[pixels x outputs] = patches[pixels x patch] · weightᵀ, weight[outputs x patch].
  static func forward(
    pixels: Int, outputs: Int, patch: Int, patches: UnsafePointer<Float>, stride: Int, weight: UnsafePointer<Float>,
    result: UnsafeMutablePointer<Float>
  ) {
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, Int32(pixels), Int32(outputs), Int32(patch), 1, patches, Int32(stride), weight,
      Int32(patch), 0, result, Int32(outputs))
  }

  /// weightGradient[outputs x patch] += gradientᵀ · patches, gradient[pixels x outputs].
  static func weightGradient(
    pixels: Int, outputs: Int, patch: Int, gradient: UnsafePointer<Float>, patches: UnsafePointer<Float>, stride: Int,
    weightGradient: UnsafeMutablePointer<Float>
  ) {
    cblas_sgemm(
      CblasRowMajor, CblasTrans, CblasNoTrans, Int32(outputs), Int32(patch), Int32(pixels), 1, gradient, Int32(outputs),
      patches, Int32(stride), 1, weightGradient, Int32(patch))
  }

  /// patches[pixels x patch] = gradient · weight, or += if `accumulates`.
  static func patchGradient(
    pixels: Int, outputs: Int, patch: Int, gradient: UnsafePointer<Float>, weight: UnsafePointer<Float>, accumulates: Bool,
    patches: UnsafeMutablePointer<Float>, stride: Int
  ) {
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(pixels), Int32(patch), Int32(outputs), 1, gradient, Int32(outputs),
      weight, Int32(patch), accumulates ? 1 : 0, patches, Int32(stride))
  }
}
