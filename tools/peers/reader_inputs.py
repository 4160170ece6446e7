"""Twenty small data sets: thirteen folders of pictures, seven tables. Each is a kind of data that people have."""

import itertools
import shutil

import numpy
import pandas
from PIL import Image

SIDE = 8
COUNT = 12


drawn = itertools.count()


def draw(shade, dtype=numpy.uint8):
    """A square on black, of an own place and shade for each `shade`, and a mark that no other picture has."""
    image = numpy.zeros((SIDE, SIDE), dtype)
    image[1 + shade % 4 : 5 + shade % 4, 2:6] = 120 + shade * 9
    row, value = divmod(next(drawn), 100)
    image[0, row] = 1 + value
    return image


def save(image, path, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path, **options)


def fill(folder, shift=0, count=COUNT):
    for i in range(count):
        save(draw(i + shift), folder / f"{i}.png")


def classes(folder, names, count=COUNT):
    for at, name in enumerate(names):
        fill(folder / name, at, count)


def plain(folder):
    classes(folder, ["a", "b"])


def numbers(folder):
    classes(folder, ["8", "9", "10"])


def capitals(folder):
    classes(folder, ["b", "A", "C"])


def nested(folder):
    classes(folder, ["a/pen", "a/brush", "b"])


def parts(folder):
    classes(folder, ["train/a", "train/b", "test/a", "test/b"])


def validation(folder):
    classes(folder, ["train/a", "train/b", "val/a", "val/b"])


def kinds(folder):
    for name in "a", "b":
        fill(folder / name, count=10)
        for ending in "bmp", "webp", "tif", "gif":
            save(draw(3), folder / name / f"x.{ending}")


def transparent(folder):
    """White everywhere, and the drawing in alpha, as icons are."""
    for at, name in enumerate(["a", "b"]):
        for i in range(COUNT):
            alpha = draw(i + at)
            white = numpy.full_like(alpha, 255)
            save(numpy.stack([white, white, white, alpha], -1), folder / name / f"{i}.png")


def sixteen_bits(folder):
    """Values of 0 to 255 in files of 16 bits."""
    for at, name in enumerate(["a", "b"]):
        for i in range(COUNT):
            save(draw(i + at, dtype=numpy.uint16), folder / name / f"{i}.png")


def sizes(folder):
    for name in "a", "b":
        fill(folder / name)
    for i in range(COUNT):
        save(Image.fromarray(draw(i)).resize((12, 10)), folder / "b" / f"{i}.png")


def mixed(folder):
    fill(folder / "a")
    for i in range(COUNT):
        red = draw(i)
        save(numpy.stack([red, red // 2, red // 3], -1), folder / "b" / f"{i}.png")


def empty(folder):
    classes(folder, ["a", "c"])
    (folder / "b").mkdir()


def broken(folder):
    classes(folder, ["a", "b"])
    path = folder / "b" / "3.png"
    path.write_bytes(path.read_bytes()[:40])


FOLDERS = {
    "two classes": (plain, "the same everywhere; grey is one channel here, three there"),
    "classes `8`, `9`, `10`": (numbers, "sorted as numbers here, as texts elsewhere; a line says both orders"),
    "classes `A`, `b`, `C`": (capitals, "the same: by code units, capitals first"),
    "`a/pen`, `a/brush`, `b`": (nested, "the same"),
    "`train/a` ... `test/b`": (parts, "a folder with parts is one dataset here; there it takes one call for each part"),
    "`train/a` ... `val/b`": (validation, "as above; without a test part `val` is the test set, which a line says"),
    "PNG, BMP, WebP, TIFF, GIF": (kinds, "here WebP is left out, which a line says with how to convert it; ImageFolder leaves out GIF, Keras WebP and TIFF, without a word"),
    "white, the drawing in alpha": (transparent, "laid on black here, as the ink is light, which a line says; the others drop alpha: blank pictures"),
    "16 bits, values to 228": (sixteen_bits, "the training part's largest value is white here, which a line says; Pillow cuts at 255, which makes brighter files white; TensorFlow keeps the upper byte: black pictures"),
    "8x8 and 12x10": (sizes, "here `--resize` is asked for; ImageFolder leaves it to a transform, Keras brings all to 256x256"),
    "grey and colour": (mixed, "where a picture has colour, all have three channels"),
    "an empty class folder": (empty, "refused by name; Keras has an output that nothing trains"),
    "a broken picture": (broken, "found before training here, all of them named; elsewhere in the middle of the first epoch"),
}


def grid(count=30, channels=1):
    rng = numpy.random.default_rng(1)
    return rng.integers(0, 256, (count, SIDE * SIDE * channels)), numpy.arange(count) % 3


def pixel_names(pixels):
    return [f"pixel{i}" for i in range(pixels.shape[1])]


def label_last(path):
    pixels, labels = grid()
    frame = pandas.DataFrame(pixels, columns=pixel_names(pixels))
    frame["target"] = labels
    frame.to_csv(path, index=False)


def headless(path):
    pixels, labels = grid()
    numpy.savetxt(path, numpy.column_stack([labels, pixels]), fmt="%d", delimiter=",")


def numbered(path):
    pixels, labels = grid()
    frame = pandas.DataFrame(pixels)
    frame.insert(0, "label", labels)
    frame.to_csv(path, index=False)


def indexed(path):
    pixels, labels = grid()
    frame = pandas.DataFrame(pixels, columns=pixel_names(pixels))
    frame.insert(0, "label", labels)
    frame.to_csv(path)


def floats(path):
    """Labels and pixels as numpy.savetxt writes them."""
    pixels, labels = grid()
    numpy.savetxt(path, numpy.column_stack([labels, pixels]), delimiter=",")


def missing(path):
    pixels, labels = grid()
    frame = pandas.DataFrame(pixels, columns=pixel_names(pixels)).astype(object)
    frame.iat[4, 9] = ""
    frame.insert(0, "label", labels)
    frame.to_csv(path, index=False)


def words(path):
    pixels, labels = grid()
    frame = pandas.DataFrame(pixels, columns=pixel_names(pixels))
    frame.insert(0, "label", numpy.array(["yes", "no", "NA"])[labels])
    frame.to_csv(path, index=False)


TABLES = {
    "label in the last column, `target`": (label_last, "known by its name here, and a line says which column; pandas leaves the choice to the program, and the first is a pixel"),
    "no header": (headless, "pandas takes the first row for a header unless `header=None` is given: an image is lost"),
    "header `label,0,1,...`": (numbered, "the same"),
    "an unnamed index column": (indexed, "passed over here, which a line says; pandas keeps it as `Unnamed: 0`, which `index_col=0` is for"),
    "`numpy.savetxt` without `fmt`": (floats, "a whole number in any notation is that number; pandas as above"),
    "an empty cell": (missing, "no pixel, so it is refused here; NaN in pandas, and then in the loss"),
    "labels `yes`, `no`, `NA`": (words, "`NA` is a word like others here; a missing value in pandas"),
}


def make(root):
    """Makes all inputs anew under `root`; their paths, folders first."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    paths = {}
    for at, (name, (write, _)) in enumerate({**FOLDERS, **TABLES}.items()):
        paths[name] = root / (f"{at:02d}" if name in FOLDERS else f"{at:02d}.csv")
        write(paths[name])
    return paths
