"""What docs/how-to/behind-a-proxy.md gives nginx is a configuration that nginx takes, as it stands there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import trustme

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "behind-a-proxy.md").read_text()


def test_nginx_takes_the_recipe(tmp_path: Path) -> None:
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if nginx is None:
        pytest.skip("nginx is not installed here")
    (recipe,) = re.findall(r"```\n(server \{.*?)```", PAGE, re.DOTALL)
    made = trustme.CA().issue_cert("push.example.com")
    made.cert_chain_pems[0].write_to_path(tmp_path / "fullchain.pem")
    made.private_key_pem.write_to_path(tmp_path / "privkey.pem")
    recipe, files = re.subn(r"/etc/letsencrypt/live/push\.example\.com", str(tmp_path), recipe)
    assert files == 2
    # Whoever tests may neither listen on 443 nor write where nginx keeps its own.
    recipe = recipe.replace("listen 443", "listen 127.0.0.1:44344")
    folders = "".join(f"{name}_temp_path {tmp_path};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    whole = tmp_path / "nginx.conf"
    whole.write_text(f"pid {tmp_path}/pid; events {{}} http {{ access_log off; {folders} {recipe} }}")
    ended = subprocess.run(
        [nginx, "-t", "-e", str(tmp_path / "errors"), "-c", str(whole)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
