# SPDX-License-Identifier: Apache-2.0
"""The lists that many tests build, and what the format's description says about them."""
PUB = "10.48.47.153"
SUB = "10.48.47.154"
TIME = 1426000000  # 2015-03-10T15:06:40Z: every certificate of the cluster is valid

MANIFEST = """\
file: CTLFile.tlv
style: cucm
mode: mixed
digest: sha1
key: {pub}.key
cert: {pub}.pem
records:
  - {{role: SAST,     cert: {pub}.pem,  name: cucm-1051-a-pub,  address: 10.48.47.153}}
  - {{role: CCM+TFTP, cert: {pub}.pem,  name: cucm-1051-a-pub,  address: 10.48.47.153}}
  - {{role: CAPF,     cert: capf.pem, name: cucm-1051-a-pub,  address: 10.48.47.153}}
  - {{role: CCM+TFTP, cert: sub1.pem, name: cucm-1051-a-sub1, address: 10.48.47.154}}
"""

# From FORMAT.md, "Lengths that a correct writer reproduces": header, records, file.
LENGTHS = {
    "tokenless": (336, [1156, 1156, 1138, 1161], 4947),
    "regenerated": (464, [1675, 1675, 1138, 1161], 6113),
    "tokens": (304, [1186, 1022, 1004, 1026, 1186], 5728),
    "tokens-non-secure": (304, [1186, 1186, 33, 1004, 33], 3746),
}
SIGNER = {"tokenless": "pub", "regenerated": "pub-regenerated", "tokens": "SAST-ADN008580ef",
          "tokens-non-secure": "SAST-ADN008580ef"}


def records(cluster, kind):
    """The options that name the records of one of the four lists."""
    servers = [("--ccm-tftp", f"{cluster}/pub.pem,address={PUB}"),
               ("--capf", f"{cluster}/capf.pem,address={PUB}"),
               ("--ccm-tftp", f"{cluster}/sub1.pem,address={SUB}")]
    one = ("--sast", f"{cluster}/SAST-ADN0054f509.pem")
    two = ("--sast", f"{cluster}/SAST-ADN008580ef.pem")
    if kind == "tokens":
        rows = [one, *servers, two]
    elif kind == "tokens-non-secure":
        rows = [one, two, *servers, ("--mode", "non-secure")]
    else:
        pub = SIGNER[kind]
        rows = [("--sast", f"{cluster}/{pub}.pem,name=cucm-1051-a-pub,address={PUB}"),
                ("--ccm-tftp", f"{cluster}/{pub}.pem,name=cucm-1051-a-pub,address={PUB}"),
                ("--capf", f"{cluster}/capf.pem,name=cucm-1051-a-pub,address={PUB}"),
                ("--ccm-tftp", f"{cluster}/sub1.pem,name=cucm-1051-a-sub1,address={SUB}")]
    style = "ctl-client" if kind.startswith("tokens") else "cucm"
    return [word for row in rows for word in row] + ["--style", style]


def key(cluster, kind):
    """The options that sign it with a key file."""
    name = SIGNER[kind]
    return ["-k", cluster / f"{name}.key", "--cert", cluster / f"{name}.pem"]


def anchor(cluster):
    """The options of a list that the publisher signs: its key and its SAST record."""
    return ["--sast", f"{cluster}/pub.pem,name=cucm-1051-a-pub,address={PUB}",
            *key(cluster, "tokenless")]


def by(private_key, cert):
    """The options of a list whose one record is its signer's."""
    return ["--sast", f"{cert},name=n", "-k", private_key, "--cert", cert]


def build(ctlsign, cluster, kind, out, *more, signs=None, **kw):
    """Builds one of the four lists at out; returns its bytes."""
    ctlsign.ok("build", "-o", out, *records(cluster, kind), *(signs or key(cluster, kind)),
               "--timestamp", TIME, *more, **kw)
    return out.read_bytes()


def manifest(cluster, pub="pub", text=MANIFEST):
    """Writes cluster.yaml beside the certificates."""
    path = cluster / "cluster.yaml"
    path.write_text(text.format(pub=pub))
    return path
