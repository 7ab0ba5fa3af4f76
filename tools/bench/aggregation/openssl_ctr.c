// The yardstick for masks: AES-256-CTR by OpenSSL on one thread, over k + 1 streams of 4·m bytes, each with a key of its own. Zeros are
// encrypted into one buffer that is used again. Prints one JSON object.
//
//     cc -O2 -o .bench/openssl_ctr tools/bench/aggregation/openssl_ctr.c -lcrypto
//     .bench/openssl_ctr [coordinates [neighbours [runs [bytes a call]]]]
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, ascending);
  return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static void check(int good, const char *what) {
  if (!good) {
    fprintf(stderr, "openssl_ctr: %s failed\n", what);
    exit(1);
  }
}

static long argument(int count, char **values, int index, long otherwise) {
  return index < count ? strtol(values[index], NULL, 10) : otherwise;
}

int main(int count, char **values) {
  long coordinates = argument(count, values, 1, 1000000), neighbours = argument(count, values, 2, 10);
  long runs = argument(count, values, 3, 7), stream = 4 * coordinates, call = argument(count, values, 4, stream);
  check(coordinates > 0 && neighbours >= 0 && runs > 0 && runs <= 1000 && call > 0 && call <= 1 << 30, "reading the arguments");
  if (call > stream) call = stream;

  unsigned char *zeros = calloc((size_t)call, 1), *mask = malloc((size_t)call), iv[16] = {0};
  unsigned char *keys = malloc(32 * (size_t)(neighbours + 1));
  double wall[1000], processor[1000];
  check(zeros && mask && keys, "taking memory");
  check(RAND_bytes(keys, (int)(32 * (neighbours + 1))) == 1, "RAND_bytes");
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
  check(context && cipher, "fetching the cipher");

  for (int run = -1; run < runs; run++) {  // the first is not counted
    double start = seconds(CLOCK_MONOTONIC), used = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (long k = 0; k <= neighbours; k++) {
      check(EVP_EncryptInit_ex2(context, cipher, keys + 32 * k, iv, NULL) == 1, "EVP_EncryptInit_ex2");
      for (long done = 0; done < stream;) {
        int written, length = (int)(stream - done < call ? stream - done : call);
        check(EVP_EncryptUpdate(context, mask, &written, zeros, length) == 1 && written == length, "EVP_EncryptUpdate");
        done += length;
      }
    }
    if (run < 0) continue;
    wall[run] = seconds(CLOCK_MONOTONIC) - start;
    processor[run] = seconds(CLOCK_PROCESS_CPUTIME_ID) - used;
  }

  double middle = median(wall, (int)runs), used = median(processor, (int)runs);
  const char *version = OpenSSL_version(OPENSSL_VERSION_STRING);
  double gigabytes = (double)stream * (double)(neighbours + 1) / middle / 1e9;
  printf("{\"item\": \"openssl-ctr\", \"seconds\": %.6f, \"seconds_best\": %.6f, \"cpu_seconds\": %.6f, ", middle, wall[0], used);
  printf("\"runs\": %ld, \"openssl\": \"%s\", \"coordinates\": %ld, \"neighbours\": %ld, ", runs, version, coordinates, neighbours);
  printf("\"bytes_a_call\": %ld, \"gigabytes_per_second\": %.3f}\n", call, gigabytes);
  EVP_CIPHER_free(cipher);
  EVP_CIPHER_CTX_free(context);
  free(zeros);
  free(mask);
  free(keys);
  return 0;
}
