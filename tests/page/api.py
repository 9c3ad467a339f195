"""The API against its own description: api.py TUWEN. A server of committed pictures is started, and schemathesis asks it all
that the description allows and much that it does not: no answer may be a failure of the server, and each must have the form
that is described."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(*command):
    subprocess.run([str(part) for part in command], check=True)


def main():
    tuwen = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        data = ROOT / "tests/fixtures/attachments"
        photos = work / "photos"
        photos.mkdir()
        for picture in sorted((data / "attachment2/ImageData").iterdir()):
            shutil.copy(picture, photos)
        model, gallery = work / "m.tuwen", work / "g"
        run(tuwen, "fit", "--data", data, "--work", work, "--recipe", "card.toml", "--model", model)
        run(tuwen, "index", photos, "--gallery", gallery, "--model", model)
        server = subprocess.Popen(
            [tuwen, "serve", "--gallery", gallery, "--port", "0"], stdout=subprocess.PIPE, text=True
        )
        try:
            address = server.stdout.readline().strip().rstrip("/")
            run(
                sys.executable,
                "-m",
                "schemathesis.cli",
                "run",
                f"{address}/openapi.json",
                "--checks",
                "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
                "--max-examples",
                "60",
                "--seed",
                "1",
            )
            if server.poll() is not None:
                sys.exit("the server has ended")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
