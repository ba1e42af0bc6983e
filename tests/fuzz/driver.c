/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * usage: fuzz_TARGET [-n N] FILE|FOLDER...
 *
 * Runs a target over corpora without a fuzzing engine, so that every compiler
 * and sanitizer runs them as ordinary tests. -n: each file N more times, with
 * a few bytes changed; the same ones every time.
 */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 20 };

static unsigned long runs, files;

/* xorshift: the same everywhere, which rand() is not. */
static uint32_t next(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

/* A copy of just that size, so that a sanitizer sees its end. */
static void run(const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);

	REQUIRE(copy != NULL);
	if (n > 0)
		memcpy(copy, data, n);
	(void)LLVMFuzzerTestOneInput(copy, n);
	free(copy);
	runs++;
}

static void mutate(const uint8_t *data, size_t n, unsigned times)
{
	static const uint8_t odd[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	uint8_t *copy = malloc(n);
	uint32_t x = (uint32_t)n * 2654435761U | 1;

	REQUIRE(copy != NULL);
	for (unsigned i = 0; i < times; i++) {
		size_t cut = next(&x) % 8 == 0 ? next(&x) % n + 1 : n;

		memcpy(copy, data, n);
		for (unsigned changes = next(&x) % 4 + 1; changes > 0; changes--) {
			/* What stands in front decides most. */
			size_t at = next(&x) % (next(&x) % 2 == 0 && n > 64 ? 64 : n);

			copy[at] = (uint8_t)(next(&x) % 2 == 0 ? odd[next(&x) % sizeof odd] :
								 copy[at] ^ 1U << next(&x) % 8);
		}
		run(copy, cut);
	}
	free(copy);
}

static void run_file(const char *path, unsigned times)
{
	uint8_t *data = malloc(INPUT_MAX);
	FILE *f = fopen(path, "rb");
	size_t n;

	REQUIRE(data != NULL && f != NULL);
	n = fread(data, 1, INPUT_MAX, f);
	(void)fclose(f);
	files++;
	run(data, n);
	if (n > 0)
		mutate(data, n, times);
	free(data);
}

static void run_path(const char *path, unsigned times)
{
	struct dirent **names;
	struct stat st;
	char inside[4096];
	int n;

	REQUIRE(stat(path, &st) == 0);
	if (!S_ISDIR(st.st_mode)) {
		run_file(path, times);
		return;
	}
	n = scandir(path, &names, NULL, alphasort);
	REQUIRE(n >= 0);
	for (int i = 0; i < n; i++) {
		(void)snprintf(inside, sizeof inside, "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			run_path(inside, times);
		free(names[i]);
	}
	free(names);
}

int main(int argc, char **argv)
{
	unsigned times = 0;
	int i = 1;

	if (argc > 2 && strcmp(argv[1], "-n") == 0) {
		times = (unsigned)strtoul(argv[2], NULL, 10);
		i = 3;
	}
	for (; i < argc; i++)
		run_path(argv[i], times);
	(void)printf("%lu files, %lu runs\n", files, runs);
	return files > 0 ? 0 : 1;
}
