"""What the scripts that make cases of augmentations share."""


def add(cases, picture, plugin, parameters, draw, image, result, tolerance=0, **more):
    """Puts a case behind the others: what a plugin makes of an image for a draw, and by how much it may differ."""
    cases.append(
        {
            "plugin": plugin,
            "parameters": parameters,
            "draw": draw,
            "image": picture(image),
            "result": picture(result),
            "tolerance": tolerance,
        }
        | more
    )
