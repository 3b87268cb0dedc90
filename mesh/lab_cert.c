/* The shop's certificate: made here, so that its end can be chosen. */
#include "lab_shop.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY = 24 * 60 * 60 };

static X509 *read_certificate(const char *path)
{
	FILE *f = fopen(path, "re");
	X509 *x = NULL;

	if (f) {
		x = PEM_read_X509(f, NULL, NULL, NULL);
		fclose(f);
	}
	return x;
}

static int64_t expires(const X509 *x)
{
	struct tm tm = {0};

	if (!x || !ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm))
		return 0;
	return timegm(&tm);
}

int64_t shop_expires(const char *path)
{
	X509 *x = read_certificate(path);
	int64_t t = expires(x);

	X509_free(x);
	return t;
}

/* Positive, random, 16 bytes. */
static bool set_serial(X509 *x)
{
	unsigned char bytes[16];
	BIGNUM *bn;
	bool good;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	bytes[0] = (bytes[0] & 0x3f) | 0x40;
	bn = BN_bin2bn(bytes, sizeof(bytes), NULL);
	good = bn && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x));
	BN_free(bn);
	return good;
}

static bool add_name(X509 *x, const char *name)
{
	X509_NAME *subject = X509_get_subject_name(x);
	X509_EXTENSION *e;
	char sans[64];
	bool good;

	snprintf(sans, sizeof(sans), "DNS:%s", name);
	e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, sans);
	good = e && X509_add_ext(x, e, -1) &&
	    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
	    (const unsigned char *)name, -1, -1, 0) &&
	    X509_set_issuer_name(x, subject);
	X509_EXTENSION_free(e);
	return good;
}

/* New, signed by its own key. */
static X509 *make(EVP_PKEY *key, int days)
{
	X509 *x = X509_new();

	if (x && X509_set_version(x, 2) && set_serial(x) &&
	    add_name(x, "front.lab") && X509_set_pubkey(x, key) &&
	    X509_gmtime_adj(X509_getm_notBefore(x), -60) &&
	    X509_gmtime_adj(X509_getm_notAfter(x), (long)days * DAY) &&
	    X509_sign(x, key, EVP_sha256()))
		return x;
	X509_free(x);
	return NULL;
}

/* Writes what a BIO holds. */
static int save(const char *path, BIO *bio, struct err *err)
{
	char *text;
	long n = BIO_get_mem_data(bio, &text);

	return shop_write(path, text, (size_t)n, err);
}

static int write_pair(const char *path, EVP_PKEY *key, X509 *x,
    struct err *err)
{
	size_t stem = strlen(path) - strlen(".pem");
	char *key_path = xasprintf("%.*s-key.pem", (int)stem, path);
	BIO *c = BIO_new(BIO_s_mem()), *k = BIO_new(BIO_s_mem());
	int rc = -1;

	if (!c || !k || !PEM_write_bio_X509(c, x) ||
	    !PEM_write_bio_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL))
		err_set(err, ERR_FAILED, "lab: %s can't be encoded", path);
	else if (save(key_path, k, err) == 0)
		rc = save(path, c, err);
	BIO_free(c);
	BIO_free(k);
	free(key_path);
	return rc;
}

static int renew(const char *path, int days, struct err *err)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = key ? make(key, days) : NULL;
	int rc;

	if (x)
		rc = write_pair(path, key, x, err);
	else
		rc = err_set(err, ERR_FAILED,
		    "lab: no certificate could be made for %s", path);
	X509_free(x);
	EVP_PKEY_free(key);
	return rc;
}

int shop_renew(const char *path, int days, char *serial, struct err *err)
{
	int64_t left = shop_expires(path) - time(NULL);
	BIGNUM *bn;
	char *hex;
	X509 *x;

	if ((left < days * DAY / 2 || left > days * DAY) &&
	    renew(path, days, err) < 0)
		return -1;
	x = read_certificate(path);
	bn = x ? ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL) : NULL;
	hex = bn ? BN_bn2hex(bn) : NULL;
	snprintf(serial, 41, "%s", hex ? hex : "");
	OPENSSL_free(hex);
	BN_free(bn);
	X509_free(x);
	return hex ? 0 : err_set(err, ERR_FAILED,
	    "lab: %s is no certificate: kiban lab down, then up, makes it anew",
	    path);
}
