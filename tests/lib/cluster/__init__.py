# SPDX-License-Identifier: Apache-2.0
"""A virtual cluster and virtual phones on real sockets, written from docs/CLUSTER.md alone.

They share nothing with the program. `model` is the cluster: who signs what, and when it is served.
`phone` decides as phones do. `net` has TFTP, HTTP and TLS on loopback, `tvs` a TVS and its faults,
`wire` the messages of TVS, `identity` keys and certificates.
"""
