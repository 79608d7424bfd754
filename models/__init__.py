"""The networks: ONNX files with manifest and model card, and the code that trains and measures
them."""
