// libpng's simplified interface, which reports errors as values: its classic one leaves through longjmp, which Swift cannot survive.
#pragma once
#include <png.h>
#include <string.h>

/// Opens a PNG in memory and gives its size; 0 on failure, with the reason in `message` (64 bytes).
static inline int cpng_size(const void *bytes, size_t count, unsigned *width, unsigned *height, char *message) {
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  int ok = png_image_begin_read_from_memory(&image, bytes, count);
  *width = image.width;
  *height = image.height;
  memcpy(message, image.message, sizeof image.message);
  png_image_free(&image);
  return ok;
}

/// Decodes a PNG of the given size to RGBA, 8 bits; 0 on failure.
static inline int cpng_decode_rgba(const void *bytes, size_t count, unsigned width, unsigned height, void *out, char *message) {
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  int ok = png_image_begin_read_from_memory(&image, bytes, count);
  if (ok) {
    image.format = PNG_FORMAT_RGBA;
    // Without it, 16-bit files count as linear light and come out brighter than every other reader shows them.
    image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    ok = image.width == width && image.height == height && png_image_finish_read(&image, NULL, out, 0, NULL);
    ok = ok && !(image.warning_or_error & PNG_IMAGE_ERROR);
  }
  memcpy(message, image.message, sizeof image.message);
  png_image_free(&image);
  return ok;
}

/// Encodes RGB, 8 bits. With `out` NULL only the size is computed, into `count`. 0 on failure.
static inline int cpng_encode_rgb(const void *pixels, unsigned width, unsigned height, void *out, size_t *count) {
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.width = width;
  image.height = height;
  image.format = PNG_FORMAT_RGB;
  return png_image_write_to_memory(&image, out, count, 0, pixels, 0, NULL);
}
