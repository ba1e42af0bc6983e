# SPDX-License-Identifier: Apache-2.0
"""Libraries of a checkout whose path has blanks, as LD_PRELOAD can name them."""
import atexit
import functools
import os
import re
import shutil
import tempfile


@functools.cache
def preloadable(library):
    """Its path; that of a link to it where LD_PRELOAD would cut the path in parts."""
    path = os.path.abspath(library)
    if not re.search(r"[\s:]", path):
        return path
    folder = tempfile.mkdtemp(dir="/tmp")
    os.chmod(folder, 0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    link = os.path.join(folder, os.path.basename(path))
    os.symlink(path, link)
    return link
