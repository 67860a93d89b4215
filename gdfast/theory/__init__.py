"""x"""
from gdfast.theory.closed import *
