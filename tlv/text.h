/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Numbers, addresses and bytes as people write them, and back.
 */
#ifndef TLV_TEXT_H
#define TLV_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "tlv/bytes.h"
#include "tlv/err.h"

/* True if the text is one whole decimal number of at most max. */
bool parse_number(const char *text, uint64_t max, uint64_t *out);

/* Four decimal numbers up to 255 without leading zeros, with dots between. */
bool parse_ipv4(const char *text, uint8_t out[4]);
bool span_ipv4(struct span text, uint8_t out[4]);
/* Whether an address stands where a name could: nothing but digits and dots. */
bool span_is_dotted(struct span text);
/* Appends "10.48.47.153"; the address has 4 bytes. */
void buf_ipv4(struct buf *b, struct span address);
/* Appends "2001:db8::153", as RFC 5952 writes it; the address has 16 bytes. */
void buf_ipv6(struct buf *b, struct span address);
/* Appends an address of 4 or 16 bytes; nothing, and false, for any other length. */
bool buf_address(struct buf *b, struct span address);
/*
 * An address that a record can be given. ST_USAGE for a name, and for an IPv6 address: no
 * source says how CUCM writes one into a list (docs/FORMAT.md, field 10).
 */
enum status address_read(const char *text, uint8_t out[4], struct tlv_err *e);

/* A line break, an escape and the like: C0 and DEL, but a NUL, which ends a text. */
bool span_has_control(struct span text);

/* Appends the character; nothing, and false, for half a surrogate pair and beyond U+10FFFF. */
bool buf_utf8(struct buf *b, uint32_t u);

/* "" for one, "s" for every other number: "1 record", "2 records". */
const char *plural(uint64_t n);

enum hex_case { HEX_LOWER, HEX_UPPER };

/* Appends two digits for each byte, and `between` between two bytes ("" for nothing). */
void buf_hex(struct buf *b, struct span s, enum hex_case digits, const char *between);
/* Writes lower-case digits and a NUL; false, writing nothing, if cap is less than 2 * s.n + 1. */
bool hex_text(struct span s, char *out, size_t cap);
/* Whether the text is that many lower-case digits, as our own files hold them. */
bool hex_is(struct span text, size_t digits);

/* The value of a digit in any case; -1 for any other byte, and for -1. */
int hex_digit(int c);

enum hex_fault { HEX_OK, HEX_NOT_A_DIGIT, HEX_ODD };

/*
 * Appends the bytes of digits in any case. The characters of `between` may stand
 * before, between and behind bytes. HEX_ODD: a byte has one digit only.
 */
enum hex_fault hex_parse(struct span text, const char *between, struct buf *out);

/* Days from 1970-01-01 in the Gregorian calendar. Months count from 1; the year is not negative. */
int64_t days_of_date(int year, int month, int day);

#endif
