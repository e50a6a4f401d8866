"""What is seen of networks and of their training: pictures, plots, notebooks."""
